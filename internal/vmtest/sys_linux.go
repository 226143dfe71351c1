package vmtest

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// alive says whether there is a process with this number.
func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// kill ends the process with this number.
func kill(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }

// dieWithParent has the kernel end cmd when this process ends, however it does.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// tryLock locks f until it is closed, unless another process has done so.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
