from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "syncconsole.kernel"
    label = "kernel"
    verbose_name = "System"
