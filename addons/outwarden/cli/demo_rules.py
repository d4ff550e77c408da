"""The rule files of the demo, as a user would write them."""

from collections.abc import Mapping

APP_KEY = "sk-demo-support-app"  # invented; the simulated providers take any
CAPPED_KEY = "sk-demo-intern-bot"
CAP_USD = "0.025"

RULES: Mapping[str, str] = {
    "traffic.yml": """\
intercept:
  - hosts: [api.openai.com, api.anthropic.com]
    connect_to: {primary}          # the demo's simulated provider in place of the real one
    trust: {ca}
""",
    "pii.yml": """\
request: {default: pseudonymize, CREDIT_CARD: mask, API_KEY: refuse}
response: {default: mask, PERSON: allow}   # a name of the model's own would hold each sentence until its end
""",
    "budgets.yml": f"""\
budgets:
  - name: key-cap
    scope: api_key                 # one counter per key
    limit_usd: {CAP_USD}
clamp_output: false
""",
    "routes.yml": """\
upstreams:
  standby:
    url: https://{standby}/v1
    provider: openai
    format: openai
    trust: {ca}
routes:
  - name: small-model
    match: {model: gpt-4o-mini}
    targets: [original, standby]
    fail_over_on: [connect, timeout, 429, 5xx]
""",
}
