"""What is remembered is bounded, and shows nothing."""

from outwarden.wire.edits import Edit
from outwarden.wire.memory import Answer, Memory


def test_the_oldest_is_forgotten():
    """Looking an answer up keeps it; the bound holds all the time."""
    memory = Memory(3 * Answer().size())
    for key in "abc":
        memory.put(key, Answer(tokens=ord(key)))
    assert memory.get("a") == Answer(tokens=ord("a"))
    memory.put("d", Answer())

    assert (memory.get("b"), len(memory), memory.bytes) == (None, 3, memory.max_bytes)
    assert memory.get("a") is not None


def test_putting_twice_counts_once():
    """The size of a replaced answer is given back."""
    memory = Memory(10**6)
    memory.put("a", Answer(splices=[(0, 1, b"x" * 1000)]))
    memory.put("a", Answer())

    assert memory.bytes == Answer().size()


def test_an_answer_that_is_too_large_is_not_kept():
    """Nothing beyond the bound stays, and all before it is gone."""
    memory = Memory(2000)
    memory.put("a", Answer(splices=[(0, 1, b"x" * 5000)]))

    assert (len(memory), memory.bytes) == (0, 0)


def test_names_cannot_be_prepared():
    """Each process names pieces by its own key."""
    assert Memory(1).digest(b"x") != Memory(1).digest(b"x")
    memory = Memory(1)
    assert memory.digest(b"x") == memory.digest(b"x") != memory.digest(b"y")


def test_no_value_is_shown():
    """A repr may end up in a log."""
    answer = Answer([(0, 1, b"secret")], [(Edit(0, 1, "secret"), "ann@x.example")])
    memory = Memory(10**6)
    memory.put("a", answer)

    assert "secret" not in repr(answer) + repr(memory)
    assert "ann" not in repr(answer) + repr(memory)
