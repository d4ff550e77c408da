"""The paths of OpenAI's API and of those who serve it with their own additions; the first that fits is taken.

A path's end counts: gateways put prefixes before it (Azure, LiteLLM, Portkey, Helicone, Cloudflare …).
"""

from outwarden.wire.formats.paths import path

_REST = r"(?:/.*)?"
_AZURE = r"openai/deployments/(?P<model>[^/]+)"
_VERTEX = r"publishers/(?!google/|anthropic/)[^/]+/models/(?P<model>[^/:]+)"  # Mistral, Llama … on Vertex AI
_REALTIME = r"realtime(?:/translations)?(?:/calls|/sessions|/client_secrets|/transcription_sessions)?"
_READ = "GET HEAD OPTIONS"

_TRAINS = r"rl/training-sessions/[^/]+/operations/[^/]+"  # Together; each is a step on the model, or a sample of it

# What others than OpenAI serve of it.
ELSEWHERE = frozenset(
    {
        "assistants",
        "batches",
        "chat",
        "chat_stored",
        "completions",
        "conversations",
        "count_tokens",
        "embeddings",
        "files",
        "generate",
        "health",
        "images",
        "models",
        "moderations",
        "ocr",
        "realtime",
        "rerank",
        "responses",
        "responses_stored",
        "runs",
        "speech",
        "threads",
        "tokenize",
        "transcriptions",
        "uploads",
        "vector_stores",
        "videos",
    }
)

# Mistral's agents answer what is posted to a conversation; OpenAI's path of the same name only keeps it.
MISTRAL_PATHS = (
    path("conversation_runs", r"conversations(?:/[^/]+(?:/restart)?)?", billed="POST", only="POST", keeps=True),
    path("agent_sessions", r"(?:audio|client)/sessions", billed="POST", keeps=True),
    path("agent_sessions", r"audio/sessions/[^/]+", keeps=True),
    path("workflows", r"workflows/(?:registrations/)?[^/]+/execute", billed="POST", keeps=True),
    path("workflows", rf"(?:workflows|triggers){_REST}", keeps=True),
    path("administration", rf"(?:observability|connectors|context|rag|webhooks|service-accounts|prompts){_REST}"),
)

PATHS = (
    path("chat", rf"{_AZURE}/(?:extensions/)?chat/completions", billed="POST"),
    path("chat", r"chat/completions", billed="POST"),
    path("chat", rf"{_VERTEX}:rawPredict", billed="POST"),
    path("chat", rf"{_VERTEX}:streamRawPredict", billed="POST", stream=True),
    path("chat", r"agents/completions", billed="POST"),  # Mistral
    path("chat", r"v\d+/chat", billed="POST"),  # Writer, LM Studio
    path("chat", r"text/chatcompletion(?:_v2|_pro)?", billed="POST"),  # MiniMax
    path("chat_stored", r"chat/(?:completions|deferred-completion)/.+", keeps=True),  # xAI's GET of a deferred one
    path("generate", r"serving-endpoints/(?P<model>[^/]+)/invocations", billed="POST"),  # Databricks, all kinds
    path("chat", r"(?:async/)?sonar", billed="POST"),  # Perplexity
    path("chat_stored", r"async/sonar/[^/]+", keeps=True),
    path("responses", r"v\d+/agent", billed="POST", keeps=True),  # Perplexity's, in place of its chat since 2026-09
    path("responses_stored", r"v\d+/agent/[^/]+(?:/cancel)?", keeps=True),
    # Alibaba's own API; what takes long is a task, which is asked for its result.
    path("generate", r"services/aigc/(?:text|multimodal)-generation/generation", billed="POST"),
    path("embeddings", r"services/embeddings/[^/]+/[^/]+", billed="POST"),
    path("rerank", r"services/rerank/[^/]+/[^/]+", billed="POST"),
    path("images", r"services/aigc/(?:text2image|image2image|image-generation)/[^/]+", billed="POST", keeps=True),
    path("videos", r"services/aigc/(?:video-generation|image2video)/[^/]+", billed="POST", keeps=True),
    path("transcriptions", r"services/audio/asr/transcription", billed="POST", keeps=True),
    path("queue", r"api/v1/tasks(?:/[^/]+(?:/cancel)?)?", keeps=True),
    path("chat", r"wenxinworkshop/(?:chat|completions|image2text)/(?P<model>[^/]+)", billed="POST"),  # Baidu
    path("embeddings", r"wenxinworkshop/(?:embeddings|reranker)/(?P<model>[^/]+)", billed="POST"),
    path("generate", r"v1/inference/(?P<model>[^/]+/.+)", billed="POST", only="POST"),  # DeepInfra
    path("completions", r"studio/v1/(?P<model>[^/]+)/complete", billed="POST"),  # AI21
    path("images", r"workflows/(?P<model>accounts/.+/models/[^/]+)/[a-z_]+", billed="POST"),  # Fireworks
    path("images", r"providers/blackforestlabs/v1/(?P<model>[^/]+)", billed="POST"),  # Azure
    path("speech", r"t2a(?:_async)?(?:_v2|_pro)?", billed="POST"),  # MiniMax
    path("images", r"image_generation", billed="POST"),
    path("videos", r"contents/generations/tasks(?:/[^/]+)?", billed="POST", keeps=True),  # Volcengine
    path("embeddings", r"embeddings/multimodal", billed="POST"),
    path("videos", r"(?:query/)?video_generation", billed="POST", keeps=True),
    path("generate", r"(?:workers-ai|ai/run)/(?P<model>@(?:cf|hf)/.+)", billed="POST"),  # Cloudflare
    path("embeddings", rf"{_AZURE}/embeddings", billed="POST"),
    path("completions", rf"{_AZURE}/completions", billed="POST"),
    path("images", rf"{_AZURE}/images/(?:generations|edits|variations)", billed="POST"),
    path("speech", rf"{_AZURE}/audio/speech", billed="POST"),
    path("transcriptions", rf"{_AZURE}/audio/(?:transcriptions|translations)", billed="POST"),
    # Not Vertex AI's, which gateways pass on: its models stand at a location of a project.
    path("organization", r"(?:organizations?|projects)(?:/(?![^/]+/locations/)[^:]*)?"),
    path("completions", r"(?:completions|fim/completions)", billed="POST"),
    # The servers' own APIs beside it, which know no `stream_options`: llama.cpp, text-generation-inference
    # (`api/generate` is Ollama's), and what was there before the chat API.
    path("generate", r"(?:completion|infill|v1/edits|(?<!api/)generate(?:_stream)?)", billed="POST"),
    path("count_tokens", r"responses/input_tokens"),
    path("responses", r"responses(?:/compact)?", billed="POST GET", keeps=True),
    path("responses_stored", r"responses/[^/]+(?:/input_items|/cancel)?", keeps=True),
    path("embeddings", r"(?:(?:contextualized|multimodal)?embeddings?|pooling|score|classify)", billed="POST"),
    path("moderations", r"(?:chat/)?(?:moderations|classifications)"),
    path("images", r"images(?:/generations|/edits|/variations)?", billed="POST"),
    path("videos", rf"videos{_REST}", billed="POST", keeps=True),
    path("voices", rf"audio/(?:voices|voice_consents){_REST}", keeps=True),
    path("speech", r"(?:audio/speech|tts)", billed="POST"),
    path("transcriptions", r"(?:audio/(?:transcriptions|translations)|stt)", billed="POST"),
    path("runs", r"threads/(?:[^/]+/)?runs", billed="POST", keeps=True),
    path("runs", r"threads/[^/]+/runs/[^/]+/submit_tool_outputs", billed="POST", keeps=True),
    path("threads", rf"(?:chatkit/)?threads{_REST}", keeps=True),
    path("chatkit", r"chatkit/sessions(?:/[^/]+/cancel)?", keeps=True),
    path("assistants", rf"assistants{_REST}", keeps=True),
    path("conversations", rf"conversations{_REST}", keeps=True),
    path("vector_stores", rf"(?:vector_stores|libraries){_REST}", keeps=True),  # libraries: Mistral
    path("batches", r"batch(?:es|/jobs)", billed="POST", keeps=True),
    path("batches", r"batches/[^/]+/requests", billed="POST", keeps=True),  # xAI: more for a batch that is open
    path("batches", r"batch(?:es|/jobs)/[^/]+(?:/cancel|/results)?", keeps=True),
    path("graders", r"fine_tuning/alpha/graders/run", billed="POST"),
    path("fine_tuning", r"(?:fine_tuning/jobs|fine-tunes)", billed="POST", keeps=True),
    path("fine_tuning", _TRAINS, billed="POST", keeps=True),
    path("fine_tuning", rf"rl/training-sessions{_REST}", keeps=True),
    path("fine_tuning", rf"(?:fine_tuning|fine-tunes){_REST}", keeps=True),
    path("files", r"files(?:/[^/]+(?:/content|/url)?)?", keeps=True),
    path("uploads", r"uploads(?:/[^/]+(?:/parts|/complete|/cancel)?)?", keeps=True),
    path("containers", rf"containers{_REST}", keeps=True),
    path("evals", r"(?:evals/[^/]+/runs|evaluation)", billed="POST", keeps=True),  # evaluation: Together
    path("evals", rf"(?:evals|evaluation){_REST}", keeps=True),
    path("skills", rf"skills{_REST}", keeps=True),
    path("decisions", r"decisions", billed="POST"),
    path("realtime_translations", r"realtime/translations", billed="POST GET"),  # no event tells what is to be paid
    path("realtime", _REALTIME, billed="POST GET"),
    path("realtime", r"realtime/calls/[^/]+/(?:accept|reject|refer|hangup)"),
    path("live", r"live/sessions(?:/[^/]+/fork)?", billed="POST", keeps=True),
    path("live", rf"live/sessions/[^/]+{_REST}", keeps=True),
    # Hosted agents: what is posted to a session makes it work.
    path("agent_sessions", r"agents/sessions(?:/[^/]+/events)?", billed="POST", keeps=True),
    path("agent_sessions", r"agents/automations/[^/]+/invocations", billed="POST", keeps=True),
    path("agents", rf"agents{_REST}", keeps=True),
    path("administration", rf"(?:vaults|webhook_(?:endpoints|event_types)|safety|content_provenance_checks){_REST}"),
    path("traces", r"traces/ingest"),
    path("ocr", r"ocr", billed="POST"),
    path("rerank", r"(?:reranks?|reranking|v1/ranking)", billed="POST"),  # the latter two: NVIDIA
    path("queue", r"queue/submit", billed="POST", keeps=True),  # Together
    path("queue", r"queue/(?:status|cancel|clear)", keeps=True),
    path("search", r"(?:(?:web|documents)[_/])?search", billed="POST"),  # Perplexity, xAI
    path("language_model", r"ai/(?:language|embedding|image)-model", billed="POST"),  # Vercel's own protocol
    path("tokenize", r"(?:de)?tokenize(?:-text)?|tokenizer|tokenization|apply-template"),
    path("account", r"(?:credits|keys?|api-key|generation|user/balance|auth/key|providers)", only=_READ),
    path("models", r"(?:[a-z]+-)*models(?:/[^:]+)?", only=_READ),
    path("models", r"models/[^/]+", only="DELETE"),
    path("health", r"(?:health|props|slots|metrics|version)", only=_READ),  # vLLM, llama.cpp
)  # fmt: skip
