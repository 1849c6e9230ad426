"""The verification of an image: one pass over its sectors, then judgement on what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rawcd.survey.facts import gather
from rawcd.survey.reading import survey_of
from rawcd.verify.codes import check_codes
from rawcd.verify.collecting import Findings
from rawcd.verify.evidence import Evidence
from rawcd.verify.frames import check_frames
from rawcd.verify.leadin import check_lead_ins
from rawcd.verify.main import check_main
from rawcd.verify.pflag import check_p
from rawcd.verify.structure import check_structure
from rawcd.verify.texts import check_rw
from rawcd.verify.values import Report

if TYPE_CHECKING:
    from rawcd.image import DiscImage
    from rawcd.progress import Progress


def verify_image(image: DiscImage, *, jobs: int = 1, progress: Progress | None = None) -> Report:
    """Read every sector of an image and tell all that is not as it should be.

    ```python
    report = rawcd.verify_image(rawcd.open_image("album.raw"))
    for finding in report.findings:
        print(finding)  # LBA 4500 (01:02:00), track 2: q-crc: the CRC of the frame is wrong
    ```

    Every figure comes from the bytes read, main channel and subcode; `image.disc` is not asked.
    Where an image has no subcode of its own, what is made for it is read, and `Report.made` says
    so.

    Args:
        image: any image.
        jobs: processes that read, this one among them.
        progress: told after each block.

    Raises:
        CancelledError: `progress` said stop.
        StorageError: the image cannot be read.
        ValueError: `jobs` is not from 1 to 64.
    """
    return report_on(evidence_of(image, jobs=jobs, progress=progress))


def evidence_of(image: DiscImage, *, jobs: int = 1, progress: Progress | None = None) -> Evidence:
    """Return what an image's sectors say; raises as `verify_image`."""
    facts = gather(image, jobs=jobs, progress=progress)
    return Evidence(image, facts, survey_of(facts, image))


def report_on(evidence: Evidence) -> Report:
    """Judge what an image's sectors say."""
    findings = Findings(evidence.survey)
    for check in (
        check_main,
        check_frames,
        check_codes,
        check_p,
        check_lead_ins,
        check_rw,
        check_structure,
    ):
        check(evidence, findings)
    return Report(
        findings=findings.listed(),
        left_out=findings.left_out(),
        sectors=evidence.survey.sectors,
        first_lba=evidence.first_lba,
        made=evidence.survey.made,
    )
