"""Every code that Graph is known to answer has words of its own, and every correction that went wrong is explained."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.choices import FINAL_STATUSES, AttemptOutcome, OperationStatus
from recordings.graph.errors import (
    CorrectionFacts,
    Explainer,
    Explanation,
    explain,
    explain_correction,
    explain_operation_result,
    explain_result,
    explain_try,
    parse_error_body,
)

_S, _O = OperationStatus, AttemptOutcome

# What is said of a code nobody has described: by its class only.
BY_CLASS = {
    *(explain(status, "") for status in (None, 200, 302, 418, 599)),
    explain(None, "AADSTS1"),
    *(explain_result(code, 1) for code in (None, 299, 499, 599)),
    explain_operation_result(None, None),
    explain_operation_result(599, None),
}

# https://learn.microsoft.com/graph/errors, and those of https://learn.microsoft.com/graph/throttling
HTTP_STATUSES = (400, 401, 403, 404, 408, 409, 412, 429, 500, 502, 503, 504)
# error.code of the calling service: microsoftgraph/microsoft-graph-comms-samples 171, 276, 330, 410, 432, 444
CALLING_CODES = ("7503", "7504", "7505", "8506", "8522", "9999")
# Seen as DiagCode in a message: 410, 664, 667
DIAG_CODES = ("3002", "3003", "7106")
SIGN_IN_CODES = (
    *("AADSTS50034", "AADSTS50033", "AADSTS53003", "AADSTS70011", "AADSTS90002", "AADSTS90006", "AADSTS90024"),
    *("AADSTS90033", "AADSTS500011", "AADSTS700016", "AADSTS700024", "AADSTS700027", "AADSTS700211", "AADSTS700212"),
    *("AADSTS700213", "AADSTS900023", "AADSTS7000112", "AADSTS7000215", "AADSTS7000218", "AADSTS7000222"),
    "AADSTS7000229",
)
# resultInfo: https://learn.microsoft.com/graph/api/call-delete; samples 664, 667, 742, 771; msteams-docs 9159
ENDS = (
    *((200, subcode) for subcode in (4097, 4521, 18503, 5000, 5300, 5001, 5002, 5003, 5007, 5010, 5012, 5013, 5014)),
    *((200, subcode) for subcode in (5020, 5030, 5855, 7000, 10550, 7015, 540000, 560000)),
    *((408, subcode) for subcode in (8537, 1106, 10057, 8544)),
    *((480, subcode) for subcode in (10037, 10076, 10134, 10199)),
    (410, 301005),
    *((500, subcode) for subcode in (1005, 1999, 7106)),
)


def is_whole(found: Explanation | Explainer) -> bool:
    return all((found.title, found.meaning, found.next_step)) and isinstance(found.retry_can_work, bool)


def failed(**facts: object) -> Explainer:
    found = explain_correction(CorrectionFacts(status=_S.FAILED, **facts))  # type: ignore[arg-type]
    assert found is not None
    return found


class TestEveryCode:
    @pytest.mark.parametrize("code", [*CALLING_CODES, *DIAG_CODES, *SIGN_IN_CODES])
    def test_a_code_has_words_of_its_own(self, code: str) -> None:
        found = explain(None, code)
        assert found not in BY_CLASS
        assert is_whole(found)

    @pytest.mark.parametrize("status", HTTP_STATUSES)
    def test_a_status_has_words_of_its_own(self, status: int) -> None:
        found = explain(status, "SomethingNew")
        assert is_whole(found)
        assert [other for other in HTTP_STATUSES if explain(other, "") == found] == [status]

    @pytest.mark.parametrize(("code", "subcode"), ENDS)
    def test_an_end_has_words_of_its_own_for_a_call_and_for_an_operation(self, code: int, subcode: int) -> None:
        for found in (
            explain_result(code, subcode),
            explain_operation_result(code, subcode),
            explain(None, f"{subcode}"),
        ):
            assert found not in BY_CLASS
            assert is_whole(found)
            assert not found.retry_can_work

    @pytest.mark.parametrize("code", [*CALLING_CODES, *DIAG_CODES])
    def test_a_calling_code_is_known_wherever_graph_writes_it(self, code: str) -> None:
        number = int(code)
        assert explain_operation_result(412, number) == explain_operation_result(number, None) == explain(None, code)
        said = parse_error_body(f'{{"error":{{"code":"Forbidden","message":"DiagCode: 403#{code}."}}}}')
        assert explain(403, said.code, said.subcode) == explain(None, code)

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_trouble_of_the_moment_stays_so_whatever_code_of_an_end_stands_beside_it(self, status: int) -> None:
        assert explain(status, "1999").retry_can_work


class TestCorrections:
    def test_a_refused_try_is_explained_by_its_code(self) -> None:
        found = failed(outcome=_O.REFUSED, http_status=403, error_code="7504", result_code="7504")
        assert (found.answer, found.title) == ("403 · code 7504", "No permission in this tenant")
        assert found.retry_words == "Trying again cannot work."

    def test_a_refusal_without_a_code_is_explained_by_its_status(self) -> None:
        found = failed(outcome=_O.REFUSED, http_status=409)
        assert found.title == "In conflict with another change"
        assert found.retry_words == "Trying again can work."

    @pytest.mark.parametrize("outcome", [_O.ACCEPTED, _O.UNKNOWN])
    def test_what_graph_took_and_failed_is_never_left_open(self, outcome: str) -> None:
        """An answer that was lost, and Graph's later notification: the notification counts."""
        lost = {"http_status": 503} if outcome == _O.UNKNOWN else {"http_status": 200, "error_code": "500"}
        found = failed(outcome=outcome, result_code="500", result_subcode="7001", **lost)
        assert found.title == "Microsoft could not carry it out"
        assert "Teams was not told" in found.meaning
        assert found.answer == "500 · code 7001"
        assert found.retry_can_work

    def test_what_graph_failed_without_a_reason_says_so(self) -> None:
        assert failed(outcome=_O.ACCEPTED, http_status=200).title == "Failed, without a reason given"

    def test_graphs_later_word_counts_more_than_the_refusal_of_a_repeat(self) -> None:
        found = failed(outcome=_O.REFUSED, http_status=401, error_code="InvalidToken", result_code="500")
        assert found.title == "Microsoft could not carry it out"

    def test_what_never_left_says_why_and_that_nobody_tries_any_more(self) -> None:
        found = failed(result_code="dns")
        assert (found.answer, found.title) == ("", "Microsoft's address was not found")
        assert found.next_step.startswith("On Record has stopped trying")
        assert found.retry_can_work

    @pytest.mark.parametrize(("code", "title"), [("7505", "Wrong tenant"), ("403", "Not permitted")])
    def test_what_was_refused_before_a_try_says_why(self, code: str, title: str) -> None:
        assert failed(result_code=code).title == title

    def test_without_any_code_it_still_says_that_nothing_was_sent(self) -> None:
        assert failed().title == "Nothing was sent"

    def test_a_wait_that_never_ended_is_no_longer_on_records_business(self) -> None:
        found = failed(outcome=_O.THROTTLED, http_status=429, error_code="x", result_code="x")
        assert found.title == "Asked to wait"
        assert found.next_step.startswith("On Record has stopped trying")

    @pytest.mark.parametrize("status", [_S.UNKNOWN, _S.SENT, _S.RUNNING, _S.NOT_STARTED])
    def test_an_open_outcome_may_have_acted_and_is_on_records_business(self, status: str) -> None:
        found = explain_correction(CorrectionFacts(status=status, outcome=_O.UNKNOWN, http_status=503))
        assert found is not None
        assert found.meaning.endswith("Microsoft may have acted or not.")
        assert found.next_step.startswith("Nothing to do yet")
        assert found.retry_words == ""

    def test_a_lost_try_without_an_answer_is_explained_too(self) -> None:
        found = explain_correction(CorrectionFacts(status=_S.UNKNOWN))
        assert found is not None
        assert found.title == "No answer"

    def test_one_that_waits_to_be_sent_again_says_so(self) -> None:
        found = explain_correction(CorrectionFacts(status=_S.PENDING, outcome=_O.NOT_SENT, error_code="dns"))
        assert found is not None
        assert found.next_step.startswith("Nothing to do yet: On Record tries again by itself.")
        assert "name service" in found.next_step

    @pytest.mark.parametrize(
        ("status", "meaning", "next_step", "retry_words"),
        [
            (_S.DECLINED, "nothing was sent", "Read the reason", ""),
            (_S.EXPIRED, "Nothing was sent", "ask for it again", "Trying again can work."),
            (_S.CANCELLED, "Teams was not told", "correct it anew", ""),
            (_S.UNRESOLVED, "nobody could find out", "decide what is right", "Trying again can work."),
        ],
    )
    def test_what_ended_without_an_answer_says_what_it_means_and_what_to_do(
        self, status: str, meaning: str, next_step: str, retry_words: str
    ) -> None:
        found = explain_correction(CorrectionFacts(status=status))
        assert found is not None
        assert meaning in found.meaning
        assert next_step in found.next_step
        assert found.retry_words == retry_words

    def test_an_unresolved_one_names_what_the_last_try_met(self) -> None:
        found = explain_correction(
            CorrectionFacts(status=_S.UNRESOLVED, outcome=_O.REFUSED, http_status=403, error_code="7504")
        )
        assert found is not None
        assert "The last try: No permission in this tenant." in found.meaning
        assert not found.retry_can_work

    @pytest.mark.parametrize("status", [_S.FAILED, _S.UNRESOLVED, _S.EXPIRED, _S.DECLINED, _S.CANCELLED])
    def test_after_the_call_no_retry_is_offered(self, status: str) -> None:
        found = explain_correction(
            CorrectionFacts(status=status, outcome=_O.REFUSED, http_status=409, is_call_over=True)
        )
        assert found is not None
        assert not found.retry_can_work
        assert "attest" in found.next_step

    def test_what_still_has_to_be_mended_is_said_after_the_call_too(self) -> None:
        found = failed(outcome=_O.REFUSED, http_status=403, error_code="7504", result_code="7504", is_call_over=True)
        assert "consent" in found.next_step

    @pytest.mark.parametrize("status", [_S.COMPLETED, _S.AWAITING_APPROVAL])
    def test_where_nothing_went_wrong_there_is_nothing_to_explain(self, status: str) -> None:
        assert explain_correction(CorrectionFacts(status=status, outcome=_O.UNKNOWN, http_status=503)) is None

    @pytest.mark.parametrize("outcome", ["", _O.ACCEPTED])
    def test_a_try_that_graph_took_needs_no_words(self, outcome: str) -> None:
        assert explain_try(outcome, 200, "") is None

    @given(
        status=st.sampled_from(OperationStatus.values),
        outcome=st.sampled_from(["", *AttemptOutcome.values]),
        http_status=st.none() | st.integers(),
        codes=st.tuples(st.text(), st.text(), st.text()),
        is_call_over=st.booleans(),
    )
    def test_no_history_crashes_it_and_every_bad_end_has_whole_words(
        self, status: str, outcome: str, http_status: int | None, codes: tuple[str, str, str], is_call_over: bool
    ) -> None:
        facts = CorrectionFacts(status, outcome, http_status, *codes, is_call_over=is_call_over)
        found = explain_correction(facts)
        if found is None:
            assert status == _S.COMPLETED or status not in FINAL_STATUSES
        else:
            assert is_whole(found)
