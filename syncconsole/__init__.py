"""Composition root of Sync Console. No app imports it; everyone may import `syncconsole.kernel`."""
