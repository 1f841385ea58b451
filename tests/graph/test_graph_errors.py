"""What an error says, and whether trying again can ever work."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.graph import errors
from recordings.graph.errors import (
    Explanation,
    GraphAuthFailed,
    GraphCallGone,
    GraphError,
    GraphNotSent,
    GraphOutcomeUnknown,
    GraphRefused,
    GraphThrottled,
    Outcome,
    explain,
    explain_result,
    parse_error_body,
    parse_http_date,
    parse_retry_after,
)
from recordings.graph.errors.results import RESULTS

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FALLBACK = explain(None, "")


class TestTheFamily:
    def test_each_branch_says_what_became_of_the_request(self) -> None:
        outcomes = {
            GraphNotSent: Outcome.NOT_SENT,
            GraphAuthFailed: Outcome.NOT_SENT,
            GraphThrottled: Outcome.THROTTLED,
            GraphRefused: Outcome.REFUSED,
            GraphCallGone: Outcome.REFUSED,
            GraphOutcomeUnknown: Outcome.UNKNOWN,
        }

        assert {kind: kind("").outcome for kind in outcomes} == outcomes

    def test_the_module_draws_every_member(self) -> None:
        members = {
            name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, GraphError)
        }

        assert members
        assert all(f"{name} " in f"{errors.__doc__} " or f"{name}\n" in str(errors.__doc__) for name in members)

    def test_the_text_leads_with_the_message_and_ends_with_the_request_id(self) -> None:
        error = GraphCallGone("Call not found.", code="8522", http_status=404, request_id="r-1")

        assert str(error) == "Call not found. (404, 8522, request-id r-1)"

    @pytest.mark.parametrize(
        "secret", ["eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln-_bmF0dXJl", "Bearer opaque-token", "Basic dXNlcjpwdw=="]
    )
    def test_what_looks_like_a_token_is_removed(self, secret: str) -> None:
        error = GraphRefused(f"The header '{secret}' is not good.")

        assert str(error) == "The header '[removed]' is not good."
        assert secret not in repr(error)


class TestExplanations:
    @pytest.mark.parametrize(
        "code",
        [
            *("8506", "8522", "7503", "7504", "7505", "9999"),
            *(
                "dns",
                "connect",
                "tls",
                "proxy",
                "configuration",
                "sign-in",
                "deadline",
                "timeout",
                "reset",
                "unreadable",
            ),
            *("AADSTS7000215", "AADSTS7000222", "AADSTS90002", "AADSTS700016", "AADSTS700027", "AADSTS70011"),
            *("AADSTS50034", "AADSTS700024", "AADSTS700213", "AADSTS500011", "AADSTS7000112", "AADSTS53003"),
        ],
    )
    def test_every_code_has_words_of_its_own(self, code: str) -> None:
        found = explain(None, code)

        assert found != FALLBACK
        assert all((found.title, found.meaning, found.next_step))

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 412, 429, 500, 502, 503, 504])
    def test_every_status_has_words_of_its_own(self, status: int) -> None:
        assert explain(status, "SomethingNew") != FALLBACK

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            *((403, code) for code in ("7503", "7504", "7505", "8506")),
            *((status, "") for status in (302, 400, 401, 403, 404)),
            (404, "8522"),
            (401, "AADSTS7000215"),
            (400, "AADSTS99999999"),
            (None, "tls"),
            (None, "configuration"),
        ],
    )
    def test_no_retry_is_offered_where_it_cannot_work(self, status: int | None, code: str) -> None:
        found = explain(status, code)

        assert not found.retry_can_work
        assert "tries again" not in found.next_step
        assert "sends it again" not in found.next_step

    @pytest.mark.parametrize(
        ("status", "code"),
        [*((status, "") for status in (408, 429, 500, 502, 503, 504, 507)), (None, "dns"), (None, "AADSTS90033")],
    )
    def test_a_retry_is_possible_where_it_can_work(self, status: int | None, code: str) -> None:
        assert explain(status, code).retry_can_work

    def test_a_code_says_more_than_a_status(self) -> None:
        assert explain(403, "8506") != explain(403, "7504") != explain(403, "")

    def test_a_diag_code_helps_where_the_code_is_not_known(self) -> None:
        assert explain(403, "Forbidden", 7504) == explain(403, "7504")

    @pytest.mark.parametrize(("code", "subcode"), list(RESULTS))
    def test_every_end_of_a_call_has_words_and_no_retry(self, code: int, subcode: int) -> None:
        found = explain_result(code, subcode)

        assert found.title not in {"No reason given", "Ended normally"}
        assert not found.retry_can_work

    @pytest.mark.parametrize(
        ("code", "title"),
        [
            (299, "Ended normally"),
            (404, "Ended with a refusal"),
            (599, "Ended by an error at Microsoft"),
            (None, "No reason given"),
            (-1, "No reason given"),
        ],
    )
    def test_an_end_not_listed_is_told_by_its_class(self, code: int | None, title: str) -> None:
        assert explain_result(code, 1).title == title

    @given(st.none() | st.integers(), st.text(), st.none() | st.integers())
    def test_there_are_always_words(self, status: int | None, code: str, subcode: int | None) -> None:
        assert isinstance(explain(status, code, subcode), Explanation)
        assert isinstance(explain_result(status, subcode), Explanation)


class TestErrorBodies:
    @pytest.mark.parametrize("spelling", ["innerError", "innererror"])
    def test_the_standard_envelope(self, spelling: str) -> None:
        found = parse_error_body(
            f'{{"error":{{"code":"8522","message":"Call not found.","{spelling}":{{"request-id":"r-1"}}}}}}'
        )

        assert (found.code, found.message, found.request_id) == ("8522", "Call not found.", "r-1")

    def test_the_bare_envelope(self) -> None:
        found = parse_error_body(b'{"errorCode":"7503","message":"Not registered.","instanceAnnotations":[]}')

        assert (found.code, found.message) == ("7503", "Not registered.")

    def test_a_number_is_a_code_too(self) -> None:
        assert parse_error_body('{"error":{"code":8506,"message":"No."}}').code == "8506"

    def test_a_diag_code_is_the_subcode(self) -> None:
        found = parse_error_body('{"error":{"code":"9999","message":"Failed. DiagCode: 3002#7106."}}')

        assert (found.code, found.subcode) == ("9999", 7106)

    def test_a_known_diag_code_stands_in_for_a_word(self) -> None:
        found = parse_error_body('{"error":{"code":"Forbidden","message":"DiagCode: 403#7504.@"}}')

        assert (found.code, found.subcode) == ("7504", 7504)

    @pytest.mark.parametrize("body", ["", "<html>", "[]", "null", '{"error":null}', '{"error":"x"}', "[" * 100_000])
    def test_anything_else_is_empty(self, body: str) -> None:
        assert parse_error_body(body).code == ""

    @given(st.binary())
    def test_no_bytes_can_break_it(self, body: bytes) -> None:
        parse_error_body(body)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.dictionaries(
                st.sampled_from(["error", "code", "message", "errorCode", "innerError", "request-id"]), inner
            ),
        )
    )
    def test_no_shape_can_break_it(self, payload: object) -> None:
        found = parse_error_body(json.dumps(payload))

        assert isinstance(found.code, str)
        found.message.encode()


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("17", 17.0),
            (" 2.5 ", 2.5),
            ("0", 0.0),
            ("-5", 0.0),
            ("86400", 3600.0),
            ("999999999999", 3600.0),
            (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
            (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
            (format_datetime(NOW + timedelta(days=2), usegmt=True), 3600.0),
            ("", None),
            (None, None),
            ("soon", None),
            ("1e5", None),
            ("nan", None),
            ("٣", None),
            ("Mon, 99 Foo 2026", None),
        ],
    )
    def test_seconds_dates_and_rubbish(self, value: str | None, seconds: float | None) -> None:
        assert parse_retry_after(value, NOW) == seconds

    @given(st.text())
    def test_no_text_can_break_it(self, value: str) -> None:
        wait = parse_retry_after(value, NOW)

        assert wait is None or 0 <= wait <= 3600

    @pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000"])
    def test_an_http_date_is_aware(self, zone: str) -> None:
        assert parse_http_date(f"Mon, 23 Nov 2026 09:30:00 {zone}") == NOW
