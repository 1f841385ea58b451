"""Microsoft's own token on a notification: on Graph's post itself, or on one that a recorder passes on."""

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from recordings.graph.callbacks import CallbackConfig, CallbackRejected, CallbackVerifier
from recordings.graph.clouds import CLOUDS
from recordings.ingest import Event

logger = logging.getLogger(__name__)


class NotConfigured(Exception):
    """The settings do not say whose notifications are ours. Nothing was stored."""


@sensitive_variables()
def vouched_by_graph(events: Iterable[Event], *, now: datetime) -> dict[str, str]:
    """The forwarded notifications that Graph vouches for: identity of the event to the tenant its token speaks for.

    A token must be good at the moment the recorder's post is received (`now`, aware UTC), by the very rules of Graph's
    own hook: the time an event claims is the recorder's word, and must not bring an old token back to life. Without a
    good token a notification is the recorder's word. Raises NotConfigured, CallbackKeysUnavailable.
    """
    found = {}
    for event in events:
        if not event.authorization:
            continue
        try:
            found[event.identity] = verifier().verify(event.authorization, now=now).tenant_id
        except CallbackRejected as rejected:
            logger.warning("forwarded notification is taken as the recorder's word: %s", rejected)
    return found


def verifier() -> CallbackVerifier:
    """The verifier for the settings of now; tests change settings, so the settings are the cache's key.

    Raises NotConfigured: a tenant that is not named would mean notifications about any.
    """
    cloud = CLOUDS.get(settings.GRAPH_CLOUD)
    audience = settings.CALLBACK_AUDIENCE or settings.GRAPH_CLIENT_ID
    if cloud is None or not audience or not settings.GRAPH_TENANT_ID:
        raise NotConfigured("GRAPH_CLOUD, GRAPH_TENANT_ID or GRAPH_CLIENT_ID is missing or not known")
    issuers = tuple(settings.CALLBACK_ISSUERS) or cloud.callback_issuers
    if not issuers or not (settings.CALLBACK_JWKS_URL or cloud.callback_metadata_url):
        raise NotConfigured("CALLBACK_ISSUERS or CALLBACK_JWKS_URL is missing, and nobody has published them")
    return _verifier_of(
        CallbackConfig(
            audience=audience,
            issuers=issuers,
            metadata_url=None if settings.CALLBACK_JWKS_URL else cloud.callback_metadata_url,
            jwks_url=settings.CALLBACK_JWKS_URL or None,
            tenants=(settings.GRAPH_TENANT_ID,),
            ca_bundle=settings.GRAPH_CA_BUNDLE or None,
            proxy=settings.GRAPH_PROXY or None,
        )
    )


@cache
def _verifier_of(config: CallbackConfig) -> CallbackVerifier:
    return CallbackVerifier(config)
