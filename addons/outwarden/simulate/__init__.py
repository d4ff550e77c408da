"""A simulated LLM provider: answers as OpenAI, Anthropic, Gemini, Bedrock and Ollama do, and fails like them on demand.

Knows how their replies look, whole and streamed, byte for byte in their own framing, and how they break; over
WebSocket it speaks OpenAI's responses (`/v1/responses`), realtime (`/v1/realtime`) and Google's Live API. It stands
alone: it knows nothing of rules, money or personal data, and needs no mitmproxy. `outwarden demo` calls it instead of
a real provider; the end-to-end tests ask it afterwards what it received. By default it echoes the last user text, so
that what was restored on the way back can be seen. It is no model and no load generator.

    certificates = make_certificates(folder, ["api.openai.com"])
    with provider_thread(certificates, script=Script(text="Hello")) as provider:
        ...  # provider.address, provider.requests
"""

from outwarden.simulate.certificates import Certificates, make_certificates
from outwarden.simulate.exchange import Received
from outwarden.simulate.script import HEADER, Script, ToolCall
from outwarden.simulate.server import ProviderThread, SimulatedProvider, provider_thread
from outwarden.simulate.tools import use_tool

__all__ = [
    "HEADER",
    "Certificates",
    "ProviderThread",
    "Received",
    "Script",
    "SimulatedProvider",
    "ToolCall",
    "make_certificates",
    "provider_thread",
    "use_tool",
]
