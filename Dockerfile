# One image for web, worker, beat and migrate: the command decides. Nothing of it is for development.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
WORKDIR /app
COPY requirements/base.txt requirements/
RUN /venv/bin/pip install --require-hashes --only-binary :all: -r requirements/base.txt
COPY . .
# The settings are strict, so this step names values; nothing connects and none of them stays in the image.
RUN DATABASE_URL=postgres://nobody@127.0.0.1/none REDIS_URL=redis://127.0.0.1/0 SECURE=true \
    SECRET_KEY=unused FIELD_ENCRYPTION_KEYS=unused \
    /venv/bin/python manage.py collectstatic --no-input --verbosity 0

FROM python:3.11-slim AS production
RUN useradd --system --create-home --uid 10001 console
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=syncconsole.settings WEB_BIND=0.0.0.0:8000 LOG_FORMAT=json
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER console
EXPOSE 8000
CMD ["gunicorn", "--config", "python:syncconsole.gunicorn_settings", "syncconsole.wsgi"]

# The simulators: for a trial without a real store, never beside one.
FROM build AS sandbox-packages
COPY requirements/demo.txt requirements/
RUN /venv/bin/pip install --require-hashes --only-binary :all: -r requirements/demo.txt

FROM production AS sandbox
COPY --from=sandbox-packages /venv /venv
EXPOSE 8800
CMD ["python", "-m", "sandbox", "--host", "0.0.0.0", "--port", "8800"]

# What `docker build .` makes when no target is named.
FROM production
