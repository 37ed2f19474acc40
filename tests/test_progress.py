import io

from rich.console import Console

from pix2seq_keras import progress


def test_a_terminal_shows_a_bar_with_the_time_left():
    console = Console(file=io.StringIO(), force_terminal=True, width=120)

    with progress.progress_bar("copying", 3, console=console) as advance:
        for _ in range(3):
            advance()

    shown = console.file.getvalue()
    assert "copying" in shown and "3/3" in shown and "left" in shown


def test_a_log_file_gets_a_line_every_15_seconds_and_the_last(monkeypatch):
    clock = iter([0.0] + [float(second) for second in range(1, 41)])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    console = Console(file=io.StringIO())

    with progress.progress_bar("copying", 40, console=console) as advance:
        for _ in range(40):
            advance()

    assert console.file.getvalue().splitlines() == [
        "copying: 15/40, 15 s, 25 s left",
        "copying: 30/40, 30 s, 10 s left",
        "copying: 40/40, done in 40 s",
    ]


def test_nothing_is_shown_if_show_is_false():
    console = Console(file=io.StringIO(), force_terminal=True)

    with progress.progress_bar("copying", 1, show=False, console=console) as advance:
        advance()

    assert console.file.getvalue() == ""


def test_a_name_from_data_does_not_control_the_terminal():
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=120)

        with progress.progress_bar("evaluating [red]\x1b]0;title\x07", 1, console=console) as advance:
            advance()

        assert "\x1b]0;title" not in console.file.getvalue()
        assert "evaluating [red]\\x1b]0;title\\x07" in console.file.getvalue()
