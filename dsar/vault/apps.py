from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "dsar.vault"
    label = "vault"
