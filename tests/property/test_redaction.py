"""No secret, user name or address in the inputs of a report is in the report."""

from __future__ import annotations

import json
import string
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from envsmith.doctor.doctor_facts import DoctorFacts
from envsmith.model.finding import Finding
from envsmith.report.output import markdown
from envsmith.report.private_values import collect_redaction
from envsmith.report.redaction import is_identifying
from envsmith.report.summarize import summarize
from tests import machines

MOST = settings(max_examples=120, deadline=None)
# Nobody's name, and in no word of a report.
RARE = "qxzjkw"
letters = st.text(alphabet=RARE, min_size=5, max_size=12)
secrets = st.text(alphabet=string.ascii_letters + string.digits + "_-+=!", min_size=6, max_size=40).map(
    lambda text: f"{RARE}{text}"
)
NAMES = ("GITHUB_TOKEN", "MY_API_KEY", "UV_INDEX_CORP_PASSWORD", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN")
PLACES = (
    "{secret}",
    "pip install failed: {secret} refused",
    "https://someone:{secret}@index.example/simple",
    "--index-url=https://{secret}@index.example/simple?token={secret}",
    "'{secret}'",
    "LD_PRELOAD={secret}",
)
BASE = machines.windows()


def told(message: str, variables: dict[str, str]) -> str:
    """Return both reports of a machine on which a finding, a path and a variable have a text."""
    finding = Finding(code="ENV074", severity="error", subject="a", message=message, hint=f"do {message}")
    environment = BASE.environment
    assert environment
    changed = {
        **vars(BASE),
        "environment": replace(environment, prefix=message),
        "drift": (finding,),
        "variables": {"LD_LIBRARY_PATH": message, **variables},
    }
    facts = cast("DoctorFacts", SimpleNamespace(**changed))
    summary = replace(summarize(facts, (), "0.1.0"), findings=(finding,), skipped=(("lock", message),))
    hidden = collect_redaction(variables)
    return markdown(summary, hidden) + json.dumps(summary.to_json(hidden), ensure_ascii=False)


@MOST
@given(secret=secrets, name=st.sampled_from(NAMES), place=st.sampled_from(PLACES))
def test_no_secret_of_a_variable(secret: str, name: str, place: str) -> None:
    assert secret not in told(place.format(secret=secret), {name: secret})


@MOST
@given(user=letters, password=secrets, host=letters)
def test_no_login_and_no_server_of_an_address(user: str, password: str, host: str) -> None:
    url = f"http://{user}:{password}@{host}.example:3128/simple"
    text = told(f"{url} does not answer through {host}.example", {"HTTPS_PROXY": url})
    assert not any(part in text for part in (user, password, host))
    unknown = told(f"{url} does not answer", {})
    assert not any(part in unknown for part in (user, password, host))


@MOST
@given(name=letters, form=st.sampled_from(["/home/{0}", "/Users/{0}", r"C:\Users\{0}", "/data/people/{0}"]))
def test_no_name_of_a_user(name: str, form: str) -> None:
    home = form.format(name)
    variables = {"HOME": home, "USER": name, "USERNAME": name.upper()}
    text = told(f"{home}/a/b.py of {name} ({home})", variables)
    assert is_identifying(name)
    assert name not in text
    assert name.upper() not in text


@MOST
@given(
    token=st.text(alphabet=string.ascii_letters + string.digits, min_size=24, max_size=40),
    kind=st.sampled_from(
        ["ghp_{0}", "hf_{0}", "github_pat_{0}", "glpat-{0}", "password={0}", "Authorization: Bearer {0}"]
    ),
)
def test_no_token_that_looks_like_one_though_no_variable_has_it(token: str, kind: str) -> None:
    assert token not in told(f"refused: {kind.format(token)}", {})
