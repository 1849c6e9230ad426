"""The public names of `rawcd.mastering`: each loads, and nothing heavy before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rawcd import mastering
from rawcd.mastering import formats2
from tests.mastering.jobs import AudioJob
from tests.mastering.kept import recorder

FACE = Path(mastering.__file__)


@pytest.mark.parametrize("name", mastering.__all__)
def test_every_name_loads_and_says_what_it_is(name: str) -> None:
    assert (getattr(mastering, name).__doc__ or "").strip()


def test_type_checkers_see_just_the_names_that_load() -> None:
    seen: dict[str, str] = {}
    for node in ast.walk(ast.parse(FACE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
            for each in node.body:
                assert isinstance(each, ast.ImportFrom)
                seen.update({alias.name: str(each.module) for alias in each.names})
    assert set(seen) == set(mastering.__all__) <= set(dir(mastering))
    assert mastering.__all__ == sorted(set(mastering.__all__))
    for name, home in seen.items():
        assert getattr(mastering, name) is getattr(sys.modules[home], name)


def test_all_of_version_2_is_among_them() -> None:
    assert set(formats2.__all__) <= set(mastering.__all__)


def test_objects_show_where_they_stand(tmp_path: Path) -> None:
    job = AudioJob(tmp_path)
    assert repr(job.master) == "<DiscMaster: not opened>"
    with job:
        assert repr(job.master) == "<DiscMaster REDBOOK: nothing staged>"
        job.audio.create_audio_track()
        assert repr(job.master) == "<DiscMaster REDBOOK: an audio track is open>"
        found = job.master.enum_disc_recorders()
        assert repr(found) == f"Enumerator([<DiscRecorder {job.bench.name}>])"
    for kind in (
        formats2.DiscFormat2RawCD,
        formats2.DiscFormat2TrackAtOnce,
        formats2.DiscFormat2Erase,
    ):
        made = kind()
        assert repr(made) == f"<{kind.__name__} without a recorder>"
        made.recorder = recorder()
        assert repr(made) == f"<{kind.__name__} {made.recorder.active_disc_recorder}>"


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'DiscMistress'"):
        mastering.DiscMistress  # noqa: B018


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import rawcd.mastering, sys; print('numpy' in sys.modules, 'construct' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.split() == ["False", "False"]
