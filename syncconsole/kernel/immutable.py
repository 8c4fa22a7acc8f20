"""Rows that the database itself refuses to change: ledgers and logs."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import migrations


def refuse_changes(table: str, *, except_columns: Sequence[str] = (), once: str = "") -> migrations.RunSQL:
    """Migration step: row triggers that refuse DELETE, and UPDATE of anything but `except_columns`.

    `once`: SQL on the row OLD from when on it cannot change, for rows that are drafts first; empty: from the beginning.
    TRUNCATE stays possible (test databases); the application's role needs no TRUNCATE right in production.
    """
    unchanged = (
        f"IF to_jsonb(OLD) - ARRAY[{', '.join(repr(column) for column in except_columns)}]::text[] = "
        f"to_jsonb(NEW) - ARRAY[{', '.join(repr(column) for column in except_columns)}]::text[] THEN RETURN NEW; END IF;"
        if except_columns
        else ""
    )
    return migrations.RunSQL(
        sql=f"""
        CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN {unchanged or "NULL;"} END IF;
            RAISE EXCEPTION '{table} is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW {f"WHEN ({once})" if once else ""} EXECUTE FUNCTION {table}_append_only();
        """,
        reverse_sql=f"DROP TRIGGER {table}_append_only ON {table}; DROP FUNCTION {table}_append_only();",
    )
