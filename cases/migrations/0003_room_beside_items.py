"""Every item is decided about once at least: the new version of its row finds room beside the old one.

No index has to hear of it then, and deciding about 10,000 items takes less than half the time.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_what_identity_brings")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE cases_item SET (fillfactor = 50)", "ALTER TABLE cases_item RESET (fillfactor)"
        )
    ]
