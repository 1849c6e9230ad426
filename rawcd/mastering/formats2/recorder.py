"""One drive, as IMAPI 2 has it: IDiscRecorder2, and IDiscRecorder2Ex beside it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from rawcd.errors import PluginError
from rawcd.hresults import HResult
from rawcd.mastering.formats2.access import HOLDS
from rawcd.mastering.formats2.refusals import client_name_of, refusal
from rawcd.mastering.formats2.values import ModePageRequestType, ReadTrackAddressType
from rawcd.recorders import given_recorder, list_recorders

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer

    from rawcd.drives import Answer, DriveFeature, DriveSession, Identity
    from rawcd.errors import MasteringError
    from rawcd.recorders import Recorder

_CLIENT: Final = "rawcd"
_COMMAND_SECONDS: Final = 10.0
"""IMAPI2_DEFAULT_COMMAND_TIMEOUT."""
_PROFILE_LIST: Final = 0x0000
_REMOVABLE_MEDIUM: Final = 0x0003
_LEGACY_CAPABILITIES: Final = 0x2A
_MECHANISM_SHIFT: Final = 5
_LOADING: Final = (1, 4, 5)
"""Mechanisms that draw a disc in: a tray, and both kinds of changer (MMC, feature 0003h)."""
_LAST_BYTE: Final = 0xFF
_MOUNTS: Final = Path("/proc/self/mounts")
_WRITING_PLACES: Final = ("\\040", " "), ("\\011", "\t"), ("\\134", "\\")
"""How the kernel writes what would end a field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a drive answered to a command of the caller's own.

    Attributes:
        hresult: S_OK, or S_IMAPI_COMMAND_HAS_SENSE_DATA: the drive took the command and has
            something to say, as a rule that it failed.
        sense: the sense data; empty with S_OK.
        data: what came.
    """

    hresult: HResult
    sense: bytes
    data: bytes


class DiscRecorder2:
    """One drive (IDiscRecorder2, coclass MsftDiscRecorder2), with IDiscRecorder2Ex's calls.

    ```python
    recorder = DiscRecorder2()
    recorder.initialize_disc_recorder(DiscMaster2().item(0))
    print(recorder.vendor_id, recorder.product_id, recorder.product_revision)
    ```

    Everything but `initialize_disc_recorder` is E_INVALID_HANDLE before it (imapi.md gives no
    code). Calls of DVD structures, adapter and device descriptors are E_NOTIMPL.

    Args:
        recorder: one of `rawcd.list_recorders`, or a name; the object is initialised with it.
    """

    def __init__(self, recorder: Recorder | str | os.PathLike[str] | None = None) -> None:
        self._drive: tuple[Recorder, Identity] | None = None
        self._unwatched = 0
        self._writer: str | None = None
        if recorder is not None:
            self.initialize_disc_recorder(recorder)

    def __repr__(self) -> str:
        name = "not initialised" if self._drive is None else self._drive[0].name
        return f"<DiscRecorder2 {name}>"

    # -- which drive it is ------------------------------------------------------------------------

    def initialize_disc_recorder(self, unique_id: Recorder | str | os.PathLike[str]) -> None:
        """Make the object stand for a drive (InitializeDiscRecorder).

        Args:
            unique_id: what `DiscMaster2.item` gives: `/dev/sr0`, `virtual:FILE`; or a recorder.

        Raises:
            MasteringError: E_POINTER, E_INVALIDARG: no such name; E_IMAPI_RECORDER_LOCKED: this
                object holds another drive; DEV.
        """
        if unique_id is None:
            raise refusal(HResult.E_POINTER, "initialize_disc_recorder: no drive was named")
        found = drive_of(unique_id)
        if self._drive is not None and self.is_held:
            raise refusal(
                HResult.E_IMAPI_RECORDER_LOCKED,
                f"this object holds {self._drive[0].name}: release it before taking another drive",
            )
        with HOLDS.session(found, self, _CLIENT) as session:
            self._drive = found, session.identity()

    @property
    def recorder(self) -> Recorder:
        """The drive behind the object (rawcd's own).

        Raises:
            MasteringError: E_INVALID_HANDLE: the object is not initialised.
        """
        return self._initialised()[0]

    def check_initialised(self) -> None:
        """Refuse to go on without a drive (rawcd's own); see `recorder`."""
        self._initialised()

    def _initialised(self) -> tuple[Recorder, Identity]:
        if self._drive is None:
            raise refusal(
                HResult.E_INVALID_HANDLE, "the recorder stands for no drive yet: initialise it"
            )
        return self._drive

    def _who(self) -> Identity:
        return self._initialised()[1]

    @contextmanager
    def session(self) -> Iterator[DriveSession]:
        """Give what talks to the drive (rawcd's own): the held session, or one for the block.

        Raises:
            MasteringError: DEV: another holds the drive, or what is asked inside fails.
        """
        with HOLDS.session(self.recorder, self, _CLIENT) as session:
            yield session

    @property
    def active_disc_recorder(self) -> str:
        """The unique id of the drive (ActiveDiscRecorder)."""
        return self.recorder.name

    @property
    def vendor_id(self) -> str:
        """The maker (VendorId)."""
        return self._who().vendor

    @property
    def product_id(self) -> str:
        """The model (ProductId)."""
        return self._who().product

    @property
    def product_revision(self) -> str:
        """The firmware's revision (ProductRevision)."""
        return self._who().revision

    @property
    def volume_name(self) -> str:
        """What the system calls the drive (VolumeName); on Windows that is a volume's name."""
        return self.recorder.name

    @property
    def volume_path_names(self) -> tuple[str, ...]:
        """Where the drive is to be found (VolumePathNames).

        That is where its disc is mounted on Linux, else its own name: Windows has the drive's
        letter there, with a disc in it or without one, and callers take the first.
        """
        name, found = self.recorder.name, []
        if sys.platform == "linux" and _MOUNTS.exists():
            for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
                device, place, *_ = line.split(" ")
                if device == name:
                    for written, meant in _WRITING_PLACES:
                        place = place.replace(written, meant)
                    found.append(place)
        return tuple(found) or (name,)

    @property
    def legacy_device_number(self) -> int:
        """The drive's place in `rawcd.list_recorders`, from 0 on (LegacyDeviceNumber).

        It changes when drives come and go; -1 where the drive is not in the list.
        """
        names = [each.name for each in list_recorders()]
        return names.index(self.recorder.name) if self.recorder.name in names else -1

    # -- the tray ---------------------------------------------------------------------------------

    @property
    def device_can_load_media(self) -> bool:
        """Whether the drive can draw a disc in by itself (DeviceCanLoadMedia)."""
        with self.session() as session:
            features = session.features() or ()
            for each in features:
                if each.code == _REMOVABLE_MEDIUM and each.data:
                    return each.data[0] >> _MECHANISM_SHIFT in _LOADING
            page = session.mode_page(_LEGACY_CAPABILITIES)
            return page is not None and len(page) > 6 and page[6] >> _MECHANISM_SHIFT in _LOADING

    def eject_media(self) -> None:
        """Open the tray (EjectMedia).

        Raises:
            MasteringError: DEV; E_IMAPI_RECORDER_MEDIA_BUSY: a writer has the disc prepared.
        """
        self.check_free("eject_media")
        with self.session() as session:
            session.eject()

    def close_tray(self) -> None:
        """Draw the tray in (CloseTray).

        Raises:
            MasteringError: DEV; E_IMAPI_RECORDER_MEDIA_BUSY: a writer has the disc prepared.
        """
        self.check_free("close_tray")
        with self.session() as session:
            session.load()

    # -- whose it is ------------------------------------------------------------------------------

    def acquire_exclusive_access(self, force: bool, client_name: str) -> None:
        """Take the drive, so that nobody else may have it (AcquireExclusiveAccess).

        It is counted: as often as it is taken it has to be released. The writers take it by
        themselves in `prepare_media`.

        Args:
            force: IMAPI takes the drive although a file system on it stays mounted; here that
                one has to be unmounted first, whatever is said.
            client_name: who takes it.

        Raises:
            MasteringError: E_IMAPI_RECORDER_CLIENT_NAME_IS_NOT_VALID; E_IMAPI_RECORDER_LOCKED:
                another has it; DEV.
        """
        del force
        name = client_name_of(client_name, HResult.E_IMAPI_RECORDER_CLIENT_NAME_IS_NOT_VALID)
        HOLDS.take(self.recorder, self, name)

    def release_exclusive_access(self) -> HResult:
        """Let go of the drive once (ReleaseExclusiveAccess).

        Returns:
            S_FALSE where this object did not have it: a clean-up may call it without asking.

        Raises:
            MasteringError: E_IMAPI_RECORDER_MEDIA_BUSY: a writer is at work with it.
        """
        self.check_free("release_exclusive_access")
        return HResult.S_OK if HOLDS.release(self.recorder, self) else HResult.S_FALSE

    @property
    def exclusive_access_owner(self) -> str:
        """Who has the drive (ExclusiveAccessOwner); "" where nobody of this process has it."""
        return HOLDS.owner(self.recorder) or ""

    @property
    def is_held(self) -> bool:
        """Whether this object has the drive (rawcd's own)."""
        return HOLDS.holds(self.recorder, self)

    def disable_mcn(self) -> None:
        """Count one more who wants no news of changed discs (DisableMcn).

        On Windows that keeps the shell from looking at the disc. Nothing of the sort runs here,
        so it is counted and no more.
        """
        self.check_initialised()
        self._unwatched += 1

    def enable_mcn(self) -> HResult:
        """Take a `disable_mcn` back (EnableMcn).

        Returns:
            S_FALSE where there was none to take back.
        """
        self.check_initialised()
        if not self._unwatched:
            return HResult.S_FALSE
        self._unwatched -= 1
        return HResult.S_OK

    @contextmanager
    def in_use_by(self, what: str) -> Iterator[None]:
        """Keep the drive from other writers, tray and commands while a write runs (rawcd's own).

        Raises:
            MasteringError: E_IMAPI_RECORDER_MEDIA_BUSY: another has it already.
        """
        self.check_free(what)
        self._writer = what
        try:
            yield
        finally:
            self._writer = None

    def check_free(self, call: str) -> None:
        """Refuse what would disturb a write that runs (rawcd's own).

        Raises:
            MasteringError: E_IMAPI_RECORDER_MEDIA_BUSY: one does.
        """
        if self._writer is not None:
            raise refusal(
                HResult.E_IMAPI_RECORDER_MEDIA_BUSY,
                f"{call}: {self._writer} is at work with {self.recorder.name}",
            )

    # -- what it can do ---------------------------------------------------------------------------

    def _features(self, session: DriveSession) -> tuple[DriveFeature, ...]:
        features = session.features()
        if features is None:
            raise refusal(
                HResult.E_IMAPI_RECORDER_GET_CONFIGURATION_NOT_SUPPORTED,
                f"{session.name} does not know GET CONFIGURATION",
            )
        return tuple(features)

    @property
    def supported_feature_pages(self) -> tuple[int, ...]:
        """The numbers of all features (SupportedFeaturePages; IMAPI_FEATURE_PAGE_TYPE)."""
        return self.get_supported_feature_pages(current_feature_only=False)

    @property
    def current_feature_pages(self) -> tuple[int, ...]:
        """Those that hold for the disc that is in (CurrentFeaturePages)."""
        return self.get_supported_feature_pages(current_feature_only=True)

    @property
    def supported_profiles(self) -> tuple[int, ...]:
        """The profiles of all discs that the drive takes (SupportedProfiles)."""
        return self.get_supported_profiles(current_only=False)

    @property
    def current_profiles(self) -> tuple[int, ...]:
        """The profile of the disc that is in (CurrentProfiles); empty without one."""
        return self.get_supported_profiles(current_only=True)

    @property
    def supported_mode_pages(self) -> tuple[int, ...]:
        """The codes of the mode pages (SupportedModePages; IMAPI_MODE_PAGE_TYPE)."""
        return self.get_supported_mode_pages(ModePageRequestType.CURRENT_VALUES)

    # -- IDiscRecorder2Ex -------------------------------------------------------------------------

    def get_supported_feature_pages(self, current_feature_only: bool) -> tuple[int, ...]:
        """Return the numbers of the features (GetSupportedFeaturePages)."""
        with self.session() as session:
            features = self._features(session)
        return tuple(each.code for each in features if each.current or not current_feature_only)

    def get_supported_profiles(self, current_only: bool) -> tuple[int, ...]:
        """Return the profiles, the current one alone or all (GetSupportedProfiles)."""
        with self.session() as session:
            self._features(session)
            if not current_only:
                return session.profiles()
            profile = session.profile()
        return (profile,) if profile else ()

    def get_supported_mode_pages(self, request_type: ModePageRequestType) -> tuple[int, ...]:
        """Return the codes of the mode pages that have such values (GetSupportedModePages)."""
        control = _request_type(request_type)
        with self.session() as session:
            codes = session.mode_pages()
            if control is ModePageRequestType.CURRENT_VALUES:
                return codes
            return tuple(
                code for code in codes if session.mode_page(code, control=control) is not None
            )

    def get_feature_page(self, feature: int, current_feature_only: bool = False) -> bytes:
        """Return a feature with its head of four bytes (GetFeaturePage).

        Raises:
            MasteringError: E_IMAPI_RECORDER_NO_SUCH_FEATURE,
                E_IMAPI_RECORDER_FEATURE_IS_NOT_CURRENT,
                E_IMAPI_RECORDER_GET_CONFIGURATION_NOT_SUPPORTED; DEV.
        """
        feature = _number(feature, "a feature")
        with self.session() as session:
            found = [each for each in self._features(session) if each.code == feature]
        if not found:
            raise refusal(
                HResult.E_IMAPI_RECORDER_NO_SUCH_FEATURE,
                f"{self.recorder.name} has no feature {feature:04X}h",
            )
        page = found[0]
        if current_feature_only and not page.current:
            raise refusal(
                HResult.E_IMAPI_RECORDER_FEATURE_IS_NOT_CURRENT,
                f"feature {feature:04X}h does not hold for what is in {self.recorder.name}",
            )
        flags = page.version << 2 | page.persistent << 1 | page.current
        return page.code.to_bytes(2) + bytes([flags, len(page.data)]) + page.data

    def get_mode_page(
        self,
        mode_page: int,
        request_type: ModePageRequestType = ModePageRequestType.CURRENT_VALUES,
    ) -> bytes:
        """Return a mode page from its code on (GetModePage).

        Raises:
            MasteringError: E_IMAPI_RECORDER_NO_SUCH_MODE_PAGE; DEV.
        """
        control = _request_type(request_type)
        if not 0 <= _number(mode_page, "a mode page") < 0x3F:
            raise refusal(HResult.E_INVALIDARG, f"{mode_page!r} is no mode page; 0 to 3Eh are")
        with self.session() as session:
            page = session.mode_page(mode_page, control=control)
        if page is None:
            raise refusal(
                HResult.E_IMAPI_RECORDER_NO_SUCH_MODE_PAGE,
                f"{self.recorder.name} has no mode page {mode_page:02X}h of {control.name.lower()}",
            )
        return page

    def set_mode_page(
        self,
        data: bytes,
        request_type: ModePageRequestType = ModePageRequestType.CURRENT_VALUES,
    ) -> None:
        """Set a mode page: its current values, or the saved ones too (SetModePage).

        Raises:
            MasteringError: E_INVALIDARG; E_IMAPI_RECORDER_INVALID_MODE_PARAMETERS: the drive does
                not take it; DEV.
        """
        self.check_free("set_mode_page")
        control = _request_type(request_type)
        if control not in (ModePageRequestType.CURRENT_VALUES, ModePageRequestType.SAVED_VALUES):
            raise refusal(HResult.E_INVALIDARG, f"{control.name} of a mode page cannot be set")
        data = _bytes_of(data, "a mode page")
        if len(data) < 2 or len(data) != data[1] + 2:
            raise refusal(
                HResult.E_INVALIDARG,
                f"{len(data)} bytes are no mode page: the second byte tells how many follow it",
            )
        with self.session() as session:
            session.set_mode_page(data, save=control is ModePageRequestType.SAVED_VALUES)

    def get_disc_information(self) -> bytes:
        """Return the reply to READ DISC INFORMATION as it comes (GetDiscInformation)."""
        with self.session() as session:
            return session.disc_information_bytes()

    def get_track_information(
        self, address: int, address_type: ReadTrackAddressType = ReadTrackAddressType.TRACK
    ) -> bytes:
        """Return the reply to READ TRACK INFORMATION as it comes (GetTrackInformation)."""
        try:
            kind = ReadTrackAddressType(address_type)
        except ValueError as error:
            raise refusal(HResult.E_INVALIDARG, f"no address type: {address_type!r}") from error
        least = -(1 << 31) if kind is ReadTrackAddressType.LBA else 0
        if not least <= _number(address, "an address") < 1 << 31:
            raise refusal(HResult.E_INVALIDARG, f"{address} is no address of {kind.name}")
        with self.session() as session:
            return session.track_information_bytes(address, address_type=kind)

    def send_command_no_data(
        self, cdb: bytes, *, timeout: float = _COMMAND_SECONDS
    ) -> CommandResult:
        """Send a command of the caller's own (SendCommandNoData)."""
        return self._send(cdb, b"", 0, timeout)

    def send_command_send_data_to_device(
        self, cdb: bytes, data: ReadableBuffer, *, timeout: float = _COMMAND_SECONDS
    ) -> CommandResult:
        """Send a command and data behind it (SendCommandSendDataToDevice)."""
        return self._send(cdb, _bytes_of(data, "what is sent"), 0, timeout)

    def send_command_get_data_from_device(
        self, cdb: bytes, size: int, *, timeout: float = _COMMAND_SECONDS
    ) -> CommandResult:
        """Send a command and take up to `size` bytes (SendCommandGetDataFromDevice)."""
        return self._send(cdb, b"", size, timeout)

    def _send(self, cdb: bytes, data: bytes, size: int, timeout: float) -> CommandResult:
        self.check_free("send_command")
        cdb = _bytes_of(cdb, "a CDB")
        if not 6 <= len(cdb) <= 16:
            raise refusal(HResult.E_INVALIDARG, f"a CDB has 6 to 16 bytes, not {len(cdb)}")
        with self.session() as session:
            if not 0 <= _number(size, "a size") <= session.max_bytes:
                raise refusal(
                    HResult.E_INVALIDARG,
                    f"{size} bytes: one transfer of {session.name} carries {session.max_bytes}",
                )
            answer: Answer = session.execute(cdb, data_out=data, data_in=size, timeout=timeout)
        good = not answer.status and not answer.sense
        return CommandResult(
            hresult=HResult.S_OK if good else HResult.S_IMAPI_COMMAND_HAS_SENSE_DATA,
            sense=answer.sense,
            data=answer.data,
        )

    def get_byte_alignment_mask(self) -> int:
        """Return the low bits that an address must not have: none (GetByteAlignmentMask)."""
        self.check_initialised()
        return 0

    def get_maximum_page_aligned_transfer_size(self) -> int:
        """Return the most bytes of one transfer (GetMaximumPageAlignedTransferSize)."""
        with self.session() as session:
            return session.max_bytes

    def get_maximum_non_page_aligned_transfer_size(self) -> int:
        """Return the same, wherever the buffer lies (GetMaximumNonPageAlignedTransferSize)."""
        return self.get_maximum_page_aligned_transfer_size()

    def read_dvd_structure(self, *arguments: object) -> bytes:
        """Refuse: discs here are CDs (ReadDvdStructure; E_NOTIMPL)."""
        raise self._beyond_reach("read_dvd_structure")

    def send_dvd_structure(self, *arguments: object) -> None:
        """Refuse: discs here are CDs (SendDvdStructure; E_NOTIMPL)."""
        raise self._beyond_reach("send_dvd_structure")

    def get_adapter_descriptor(self) -> bytes:
        """Refuse: it is a structure of Windows' drivers (GetAdapterDescriptor; E_NOTIMPL)."""
        raise self._beyond_reach("get_adapter_descriptor")

    def get_device_descriptor(self) -> bytes:
        """Refuse: it is a structure of Windows' drivers (GetDeviceDescriptor; E_NOTIMPL)."""
        raise self._beyond_reach("get_device_descriptor")

    def _beyond_reach(self, call: str) -> MasteringError:
        self.check_initialised()
        return refusal(HResult.E_NOTIMPL, f"{call} is beyond what rawcd does")


def _request_type(value: ModePageRequestType | int) -> ModePageRequestType:
    try:
        return ModePageRequestType(value)
    except ValueError as error:
        raise refusal(HResult.E_INVALIDARG, f"no request for a mode page: {value!r}") from error


def recorder_of(given: object, what: str) -> DiscRecorder2:
    """Return a recorder that was handed to a writer.

    Raises:
        MasteringError: E_POINTER: there is none; E_INVALIDARG: it is something else;
            E_INVALID_HANDLE: it is not initialised.
    """
    if given is None:
        raise refusal(HResult.E_POINTER, f"{what}: no recorder was given")
    if not isinstance(given, DiscRecorder2):
        raise refusal(HResult.E_INVALIDARG, f"{what}: a {type(given).__name__} is no DiscRecorder2")
    given.check_initialised()
    return given


def drive_of(given: Recorder | str | os.PathLike[str]) -> Recorder:
    """Return the drive that a name, or a recorder of the kernel's, stands for.

    Raises:
        MasteringError: E_INVALIDARG: there is none.
    """
    try:
        return given_recorder(given)
    except PluginError as error:
        raise refusal(HResult.E_INVALIDARG, str(error)) from error


def _number(value: object, what: str) -> int:
    """Return a whole number; a script may pass anything."""
    if not isinstance(value, int):
        raise refusal(HResult.E_INVALIDARG, f"{value!r} is no number of {what}")
    return value


def _bytes_of(value: object, what: str) -> bytes:
    """Return bytes; a script may pass anything."""
    if value is None:
        raise refusal(HResult.E_POINTER, f"no bytes of {what} were given")
    try:
        return memoryview(cast("ReadableBuffer", value)).tobytes()
    except TypeError as error:
        raise refusal(
            HResult.E_INVALIDARG, f"a {type(value).__name__} is not the bytes of {what}"
        ) from error
