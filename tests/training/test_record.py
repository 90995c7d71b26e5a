"""What a terminal shows of a run."""

import io

from tqdm import tqdm

from training.record import Above


class Terminal(io.StringIO):
    def lines(self):
        """What is left of it: each line as it was written last."""
        return [x.split('\r')[-1] for x in self.getvalue().split('\n')]


def test_printed_lines_stand_above_the_bar_not_behind_it(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr('sys.stderr', terminal)
    with tqdm(total=7, file=terminal, ascii=True) as bar:
        out = Above(terminal)
        bar.update(3)
        for text in ('first', ' line', '\n', 'second\nthird\nrest'):
            assert out.write(text) == len(text)
        assert terminal.lines()[:3] == ['first line', 'second', 'third']
        assert '3/7 [' in terminal.lines()[3], 'the bar is there again'
