"""Folders, programs and packages: everything is below one throwaway folder, and nothing is installed in the system."""

import fcntl
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
BENCH_D = ROOT / "scripts" / "bench.d"


def commit():
    """Which state of the project is measured, if that can be known."""
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return f", commit {asked.stdout.strip()}" if asked.returncode == 0 else ""


class Missing(Exception):
    """Something can't be had here; the row says why."""


class Place:
    """Where a run of the benchmarks keeps its things."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = open(self.folder / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"error: somebody else measures in {self.folder}\nhint: wait for that, or use --work with another folder")
        self.runs = self.folder / "runs"
        shutil.rmtree(self.runs, ignore_errors=True)
        self.runs.mkdir()
        self.made = 0

    def fresh(self, name):
        """An empty folder that nobody else has."""
        self.made += 1
        folder = self.runs / f"{self.made:03}-{name}"
        folder.mkdir()
        return folder

    def build(self, alone):
        """The programs of this project, the job that everybody runs, and the bare loop; with `alone`, only sched."""
        self.sched = cargo(ROOT, ROOT / "target", "sched", "-p", "sched")
        if alone:
            return
        self.claims = cargo(ROOT, ROOT / "target", "claims", "-p", "sched-benches")
        self.past = cargo(ROOT, ROOT / "target", "past", "-p", "sched-benches")
        self.stamp = self.peer("stamp")
        self.bare = self.peer("bare")

    def peer(self, program, *options):
        """A program of scripts/bench.d, built."""
        return cargo(BENCH_D, self.folder / "peers", program, *options)

    def python(self, name, *packages):
        """The interpreter of an environment with these packages."""
        venv = self.folder / name
        if not (venv / "complete").exists():
            shutil.rmtree(venv, ignore_errors=True)
            try:
                run([sys.executable, "-m", "venv", venv])
                run([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
            except subprocess.CalledProcessError as error:
                raise Missing(f"pip could not install {' '.join(packages)} (exit {error.returncode})") from error
            (venv / "complete").touch()
        return venv / "bin" / "python"

    def debian(self, package, program):
        """A program from a Debian package, unpacked below the folder."""
        unpacked = self.folder / "debian" / package
        found = unpacked / program
        if not found.exists():
            if not shutil.which("apt-get") or not shutil.which("dpkg"):
                raise Missing(f"no apt-get here to fetch `{package}` with")
            unpacked.mkdir(parents=True, exist_ok=True)
            try:
                fetch(package, unpacked)
            except subprocess.CalledProcessError as error:
                raise Missing(f"apt-get could not fetch `{package}` (exit {error.returncode})") from error
            for file in unpacked.glob("*.deb"):
                run(["dpkg", "-x", file, unpacked])
        if not found.exists():
            raise Missing(f"the package `{package}` has no /{program}")
        return found

    def debian_version(self, package):
        """The version of a package that was fetched."""
        file = next((self.folder / "debian" / package).glob("*.deb"))
        asked = subprocess.run(["dpkg-deb", "-f", file, "Version"], capture_output=True, text=True, check=True)
        return asked.stdout.strip()


def cargo(project, target, program, *options):
    """Builds a program, and answers where it is."""
    command = ["cargo", "build", "--release", "--locked", "--target-dir", target, "--bin", program, *options]
    try:
        run(command, cwd=project)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        raise Missing(f"cargo could not build `{program}`") from error
    return target / "release" / program


def fetch(package, folder):
    """apt-get, with its lists made anew if it doesn't know the package."""
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
    try:
        run(command, cwd=folder)
    except subprocess.CalledProcessError:
        run(["apt-get", "-qq", "update"])
        run(command, cwd=folder)


def run(command, cwd=None):
    """Runs to its end; what it says goes to stderr, since stdout is for tables."""
    subprocess.run([str(word) for word in command], cwd=cwd, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
