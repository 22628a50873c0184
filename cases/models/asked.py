"""Which questions from the record were put to whom, so that none is put again too soon."""

from django.db import models

from cases.models.data_subject import DataSubject
from identity.models import TenantModel, Verification


class AskedQuestion(TenantModel):
    """One question that was put. It holds the question's place in a source, and no answer."""

    subject = models.ForeignKey(DataSubject, on_delete=models.CASCADE, related_name="asked_questions")
    verification = models.ForeignKey(Verification, on_delete=models.CASCADE, related_name="+")
    question = models.CharField(max_length=200, help_text="source and field, such as crm:customer.joined_on")
    asked_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["subject", "asked_at"], name="cases_asked_of_person"),
            models.Index(fields=["controller", "asked_at"], name="cases_asked_old"),
        ]
