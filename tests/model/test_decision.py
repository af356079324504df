from envsmith.model.finding import Decision


def test_json_leaves_empty_parts_out() -> None:
    decision = Decision(subject="torch", kind="noted", message="so it is")
    assert decision.to_json() == {"subject": "torch", "kind": "noted", "message": "so it is"}


def test_json_holds_evidence_and_code() -> None:
    decision = Decision(subject="torch", kind="capped", message="m", evidence=("seen, 2026",), code="RES110")
    assert decision.to_json()["evidence"] == ["seen, 2026"]
    assert decision.to_json()["code"] == "RES110"


def test_equal_decisions_count_once() -> None:
    first, second = (Decision(subject="a", kind="dropped", message="m") for _ in range(2))
    assert list(dict.fromkeys([first, second])) == [first]
