"""Open and closed cases were logged under what is now the first version of their controller's policy."""

from django.db import migrations


def name_policies(apps, schema_editor):
    alias = schema_editor.connection.alias
    cases, policies = apps.get_model("cases", "Case"), apps.get_model("identity", "IdentityPolicy")
    for policy in policies.objects.using(alias).filter(version=1):
        cases.objects.using(alias).filter(controller_id=policy.controller_id, identity_policy=None).update(
            identity_policy=policy
        )


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_identity_policies"), ("identity", "0005_policies_from_levels")]

    operations = [migrations.RunPython(name_policies, migrations.RunPython.noop, elidable=True)]
