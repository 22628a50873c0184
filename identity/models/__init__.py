"""Who asks, and who works here."""

from identity.models.attempt import Attempt
from identity.models.base import TenantModel, TenantQuerySet
from identity.models.controller import Controller
from identity.models.customer_login import CustomerLogin
from identity.models.document import DocumentKind, DocumentPicture, DocumentStage, IdentityDocument
from identity.models.emergency import Emergency
from identity.models.evidence import RecoveryCode, TotpDevice
from identity.models.external import CheckStage, Effect, ExternalCheck, ExternalEvent, IdentityProvider
from identity.models.feed import CalendarFeed
from identity.models.invitation import Invitation
from identity.models.policy import IdentityPolicy
from identity.models.session import Session
from identity.models.sign_on import SignOnGroup, SignOnIdentity, SignOnProvider
from identity.models.sms import SmsGateway, TextMessage, TextState
from identity.models.team import Membership, Team, TeamController
from identity.models.token import AccessToken, OneTimeCode, TokenPurpose
from identity.models.user import User
from identity.models.verification import Level, Method, Verification, VerificationState

__all__ = [
    "AccessToken",
    "Attempt",
    "CalendarFeed",
    "CheckStage",
    "Controller",
    "CustomerLogin",
    "DocumentKind",
    "DocumentPicture",
    "DocumentStage",
    "Effect",
    "Emergency",
    "ExternalCheck",
    "ExternalEvent",
    "IdentityDocument",
    "IdentityPolicy",
    "IdentityProvider",
    "Invitation",
    "Level",
    "Membership",
    "Method",
    "OneTimeCode",
    "RecoveryCode",
    "Session",
    "SignOnGroup",
    "SignOnIdentity",
    "SignOnProvider",
    "SmsGateway",
    "Team",
    "TeamController",
    "TenantModel",
    "TenantQuerySet",
    "TextMessage",
    "TextState",
    "TokenPurpose",
    "TotpDevice",
    "User",
    "Verification",
    "VerificationState",
]
