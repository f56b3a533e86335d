"""Real listeners and artists, through real processes: the order is the ideal one, at the fewest calls."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parents[2]
LASTFM = ROOT.parent / "shared" / "data" / "lastfm"
ARTISTS = 17_632


@pytest.mark.skipif(not LASTFM.is_dir(), reason="the Last.fm data set is not part of the project")
def test_all_artists_are_ranked_right_for_real_listeners(tmp_path: Path) -> None:
    """All 17,632 artists, most popular first, come back with the ideal top 100 in at most 37 calls and a bridge."""
    files = ["--items", str(LASTFM / "items.csv.gz"), "--interactions", str(LASTFM / "interactions.csv.gz")]
    done = subprocess.run(
        [sys.executable, "-m", "loadtests.lastfm", *files, "--users", "4", "--json"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    measured = orjson.loads(done.stdout)
    assert len(measured) == 4
    for one in measured:
        assert one["candidates"] == ARTISTS
        assert one["ours"]["top"] == 1.0
        assert one["ours"]["tau"] >= 0.98
        assert one["calls"] <= 37 + one["bridges"]
        assert one["bridges"] <= 1
        assert one["naive"]["top"] < 0.9  # the control: merging by score is wrong on the same calls
