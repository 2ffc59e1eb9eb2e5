"""The cutting of a stream into replies: by any chunks, with any echo, and out of step rather than wrong."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright_drivers.contract.errors import PermanentError, TransientError
from rackwright_drivers.transports.shell import (
    ANYTHING,
    Command,
    OutOfStepError,
    Question,
    Reply,
    ReplyReader,
    ShellDialect,
)

DIALECT = ShellDialect(
    prompt=r"{host}(?:\((?P<mode>[^()\s]+)\))?(?P<level>[#>])",
    question=re.compile(r"\(yes/no\)\s*:"),
    decline="no",
    user_level=">",
    enable="enable",
    refusals=((re.compile("busy"), TransientError),),
)


def reader(*lines: str, echoes: bool | None = None, questions: tuple[Question, ...] = ()) -> ReplyReader:
    return ReplyReader(DIALECT, "box", [Command(line, ANYTHING, questions=questions) for line in lines], echoes)


def outputs(read: ReplyReader) -> list[str]:
    return [reply.output for reply in read.replies]


def test_replies_end_at_their_prompts_and_lose_their_echo() -> None:
    read = reader("show a", "configure", "show b")
    read.feed("show a\r\nx 1\r\ny 2\r\nbox# configure\r\nbox(config)# show b\r\nz\r\nbox(config)# ")
    assert outputs(read) == ["x 1\ny 2\n", "", "z\n"]
    assert [reply.prompt.mode for reply in read.replies] == ["", "config", "config"]
    assert read.done
    assert read.echoes is True


def test_text_typed_ahead_may_be_echoed_before_it_is_read() -> None:
    read = reader("show a", "show b")
    read.feed("show a\r\nshow b\r\nx\r\nbox# y\r\nbox# ")
    assert outputs(read) == ["x\n", "y\n"]


def test_a_shell_without_echo_may_print_its_prompts_side_by_side() -> None:
    read = reader("a", "b", "c")
    read.feed("box# box# x\r\nbox#")
    assert outputs(read) == ["", "", "x\n"]
    assert read.echoes is False


def test_indented_output_without_echo_keeps_its_columns() -> None:
    read = reader("a", "b")
    read.feed("box#")
    read.feed("  x y\r\nbox# ")
    assert outputs(read) == ["", " x y\n"]


@given(st.data())
def test_the_chunks_in_which_it_arrives_do_not_matter(data: st.DataObject) -> None:
    printed = "show a\r\n\x1b[1mx 1\x1b[0m\r\ny 2\r\nbox# configure\r\nEnter.\r\nbox(config)# end\r\nbox# "
    cuts = sorted(data.draw(st.sets(st.integers(1, len(printed) - 1))))
    read = reader("show a", "configure", "end")
    for start, end in zip([0, *cuts], [*cuts, len(printed)], strict=True):
        read.feed(printed[start:end])
    assert outputs(read) == ["x 1\ny 2\n", "Enter.\n", ""]


def test_output_cut_off_before_its_newline_ends_at_the_prompt_all_the_same() -> None:
    read = reader("show a")
    read.feed("show a\r\nhalf a rowbox# ")
    assert outputs(read) == ["half a row"]


def test_a_reply_without_its_own_echo_is_out_of_step() -> None:
    read = reader("show a", "show b", echoes=True)
    with pytest.raises(OutOfStepError, match="show a"):
        read.feed("show z\r\nold news\r\nbox# show a\r\nx\r\nbox# ")
    assert read.replies == []


def test_text_after_the_last_prompt_takes_the_last_reply_back() -> None:
    read = reader("a")
    with pytest.raises(OutOfStepError, match="went on"):
        read.feed("a\r\nx box# y\r\nmore\r\nbox# ")
    assert read.replies == []


def test_the_known_question_gets_its_answer_and_any_other_a_no() -> None:
    known = (Question("All is lost\nSure (yes/no):", "yes"), Question("Really (yes/no):", "yes"))
    read = reader("wipe", questions=known)
    read.feed("wipe\r\nAll is lost\r\nSure (yes/no): ")
    assert read.question is not None
    assert read.answer(read.question) == "yes"
    read.feed("yes\r\nReally, the other disks as well (yes/no): ")
    assert read.question is not None
    assert read.answer(read.question) == "no"
    read.feed("no\r\nCancelled.\r\nbox# ")
    (reply,) = read.replies
    assert reply.declined == "Really, the other disks as well (yes/no):"
    assert reply.refused
    assert "Sure (yes/no): yes" in reply.transcript
    assert "nobody expected" in (reply.complaint or "")


def test_after_one_no_even_a_known_question_gets_a_no() -> None:
    read = reader("wipe", questions=(Question("Sure (yes/no):", "yes"), Question("Really (yes/no):", "yes")))
    assert read.answer("Something else (yes/no):") == "no"
    assert read.answer("Really (yes/no):") == "no"


def test_curly_quotes_in_a_question_are_the_same_question() -> None:
    read = reader("wipe", questions=(Question("Enter 'yes' (yes/no):", "yes"),))
    read.feed("wipe\r\nEnter ‘yes’ (yes/no): ")
    assert read.question == "Enter 'yes' (yes/no):"


@pytest.mark.parametrize("printed", ["a\r\nSure (yes/no): ", "a\r\nSure (yes/no): b\r\nCancelled\r\nbox# "])
def test_a_question_within_a_burst_is_out_of_step(printed: str) -> None:
    read = reader("a", "b")
    with pytest.raises(OutOfStepError, match="middle of a burst"):  # noqa: PT012  where it is noticed does not matter
        read.feed(printed)
        assert read.question is None


def test_a_complaint_names_what_was_printed_or_where_the_shell_stands() -> None:
    command = Command("nic 1", leads_to="config-nic-1")
    prompt = DIALECT.prompt_of(None).search("box(config)#")
    assert prompt is not None
    read = ReplyReader(DIALECT, "box", [command])
    read.feed("nic 1\r\nbox(config)# ")
    (reply,) = read.replies
    assert not reply.refused
    assert reply.astray
    assert reply.complaint == "it left the shell in mode `config` and not in `config-nic-1`"
    assert Reply(command, "% No\n", reply.prompt).complaint == "% No"
    assert (
        Reply(Command("a", re.compile("ok")), "", reply.prompt).complaint
        == "it printed nothing where it should confirm"
    )


def test_the_kind_of_a_refusal_comes_from_the_table() -> None:
    assert isinstance(DIALECT.error_of("a", "% busy"), TransientError)
    assert isinstance(DIALECT.error_of("a", "% other"), PermanentError)
