"""Who is compared: a file each. See `base` for what they are asked."""

from .apscheduler import APScheduler, APSchedulerSQLite
from .bare import Bare
from .busybox import Busybox
from .cron import Cron
from .hermes import Hermes
from .sched import Sched
from .tokio_cron import TokioCron

ALL = [Sched, Bare, Cron, Busybox, APScheduler, APSchedulerSQLite, TokioCron, Hermes]
