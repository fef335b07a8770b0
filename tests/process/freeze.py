"""Stops the threads of a process whose names begin as given, until this program ends: freeze.py PID NAME"""
import ctypes, os, sys

SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) != 0:
        print("ptrace:", os.strerror(ctypes.get_errno()), flush=True)
        sys.exit(1)


folder = f"/proc/{sys.argv[1]}/task"
threads = [int(task) for task in os.listdir(folder) if open(f"{folder}/{task}/comm").read().startswith(sys.argv[2])]
for thread in threads:
    ptrace(SEIZE, thread)
    ptrace(INTERRUPT, thread)
    os.waitpid(thread, WALL)
print("frozen", len(threads), "threads", flush=True)
sys.stdin.read()
