"""The levels stand in the policy now."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("identity", "0005_policies_from_levels")]

    operations = [migrations.RemoveField(model_name="controller", name="required_levels")]
