"""Every controller's levels of identity become the first version of its policy, which asks for exactly as much."""

from django.db import migrations
from django.utils import timezone

RIGHTS = (
    "access",
    "portability",
    "erasure",
    "rectification",
    "restriction",
    "objection",
    "automated",
    "complaint",
)
LEVELS = ("none", "low", "substantial", "high")


def write_policies(apps, schema_editor):
    alias = schema_editor.connection.alias
    controllers, policies = (
        apps.get_model("identity", "Controller"),
        apps.get_model("identity", "IdentityPolicy"),
    )
    for controller in controllers.objects.using(alias):
        content = {"rules": rules(controller.required_levels)}
        policies.objects.using(alias).create(
            controller=controller, version=1, content=content, issued_at=timezone.now()
        )


def rules(levels):
    """One rule for each level, with the rights that asked for it; without a word a right asked for "low"."""
    by_level = {}
    for right in RIGHTS:
        by_level.setdefault(int(levels.get(right, levels.get("default", 1))), []).append(right)
    marketing = {"name": "marketing", "when": {"right": ["marketing"]}, "level": "none"}
    return [marketing] + [
        {"name": LEVELS[level], "when": {"right": named}, "level": LEVELS[level]}
        for level, named in sorted(by_level.items())
    ]


class Migration(migrations.Migration):
    dependencies = [("identity", "0005_single_sign_on")]

    operations = [migrations.RunPython(write_policies, migrations.RunPython.noop, elidable=True)]
