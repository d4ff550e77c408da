"""The rule files of the demo, as a user would write them."""

from collections.abc import Mapping

from outwarden.budget.callers import key_id

APP_KEY = "sk-demo-support-app"  # invented; the simulated providers take any
CAPPED_KEY = "sk-demo-intern-bot"
CAP_USD = "0.02"

RULES: Mapping[str, str] = {
    "traffic.yml": """\
intercept:
  - hosts: [api.openai.com, api.anthropic.com]
    connect_to: {primary}          # the demo's simulated provider in place of the real one
    trust: {ca}
""",
    "callers.yml": f"""\
callers:
  - match: {{api_key: "{key_id(CAPPED_KEY)}"}}
    project: intern-bot
default: {{team: support}}
""",
    "pii.yml": """\
request: {default: pseudonymize, CREDIT_CARD: mask, API_KEY: refuse}
response: {default: mask}
""",
    "budgets.yml": f"""\
budgets:
  - name: intern-cap
    scope: project
    only: {{project: intern-bot}}
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
