"""Names of settings in, one frozen configuration out."""

from typing import Any

import pytest

from recordings.graph.clouds import CLOUDS, GraphConfig, graph_config, is_microsoft_host

TENANT = "5a11d0c5-0000-4000-8000-000000000001"


def test_nothing_but_a_tenant_gives_the_global_cloud() -> None:
    config = graph_config({"GRAPH_TENANT_ID": TENANT})

    assert config.base_url == "https://graph.microsoft.com/v1.0"
    assert config.scope == "https://graph.microsoft.com/.default"
    assert config.authority == f"https://login.microsoftonline.com/{TENANT}"
    assert (config.connect_timeout_seconds, config.read_timeout_seconds, config.deadline_seconds) == (5, 10, 15)
    assert (config.max_attempts, config.oidc, config.ca_bundle, config.proxy) == (4, False, None, None)


@pytest.mark.parametrize(
    ("cloud", "root", "login"),
    [
        ("gcc-high", "https://graph.microsoft.us", "https://login.microsoftonline.us"),
        ("dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    ],
)
def test_a_government_cloud_changes_root_scope_and_authority(cloud: str, root: str, login: str) -> None:
    config = graph_config({"GRAPH_CLOUD": cloud, "GRAPH_TENANT_ID": TENANT})

    assert (config.base_url, config.scope, config.authority) == (
        f"{root}/v1.0",
        f"{root}/.default",
        f"{login}/{TENANT}",
    )
    assert CLOUDS[cloud].callback_metadata_url is None


def test_an_authority_that_is_not_microsofts_is_a_plain_issuer() -> None:
    assert graph_config({"GRAPH_AUTHORITY": "https://localhost:8443/tenant/v2.0"}).oidc


def test_nothing_at_all_is_a_configuration_that_only_fails_when_used() -> None:
    assert graph_config({}).authority == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRAPH_CLOUD", "china"),
        ("GRAPH_BASE_URL", "http://graph.microsoft.com/v1.0"),
        ("GRAPH_BASE_URL", "https://user:pw@graph.microsoft.com/v1.0"),
        ("GRAPH_BASE_URL", "https://graph.microsoft.com/v1.0?x=1"),
        ("GRAPH_BASE_URL", "https://[::1/v1.0"),
        ("GRAPH_AUTHORITY", "login.microsoftonline.com/x"),
        ("GRAPH_TENANT_ID", "common"),
        ("GRAPH_TIMEOUT", "5"),
        ("GRAPH_TIMEOUT", "5,x"),
        ("GRAPH_TIMEOUT", "5,nan"),
        ("GRAPH_DEADLINE", "-1"),
        ("GRAPH_DEADLINE", "inf"),
        ("GRAPH_MAX_ATTEMPTS", "many"),
        ("GRAPH_MAX_ATTEMPTS", "21"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        graph_config({name: value})


@pytest.mark.parametrize("value", ["2, 3.5", (2, 3.5), [2.0, "3.5"]])
def test_timeouts_come_as_text_or_as_numbers(value: Any) -> None:
    config = graph_config({"GRAPH_TIMEOUT": value})

    assert (config.connect_timeout_seconds, config.read_timeout_seconds) == (2.0, 3.5)


def test_no_secret_is_in_the_repr() -> None:
    secrets = {
        "GRAPH_CLIENT_SECRET": "hush-secret",
        "GRAPH_CLIENT_CERTIFICATE_PASSWORD": "hush-password",
        "GRAPH_PROXY": "http://user:hush-proxy@proxy:3128",
    }

    assert "hush" not in repr(graph_config(secrets))


def test_configurations_can_be_told_apart_by_their_secret() -> None:
    one, other = (graph_config({"GRAPH_CLIENT_SECRET": secret}) for secret in ("one", "other"))

    assert len({one, other}) == 2
    assert isinstance(one, GraphConfig)


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.microsoft.com/v1.0",
        "https://GRAPH.microsoft.com",
        "https://login.microsoftonline.us:443/x",
        "https://dod-graph.microsoft.us/v1.0",
    ],
)
def test_microsofts_hosts_are_known(url: str) -> None:
    assert is_microsoft_host(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.microsoft.com",
        "https://graph.microsoft.com.evil.example",
        "https://evilgraph.microsoft.com",
        "https://graph.microsoft.com@evil.example",
        "https://graph.microsoft.com:8443",
        "https://graph.microsoft.com.",
        "https://evil.example\\@graph.microsoft.com",
        "https://evil.example/graph.microsoft.com",
        "https://graph.microsoft.com:x",
        "https://microsoftgraph.chinacloudapi.cn",
        "graph.microsoft.com",
        "",
    ],
)
def test_nothing_else_passes_for_microsoft(url: str) -> None:
    assert not is_microsoft_host(url)
