/** Errors of the operating system: a full disk, a missing permission. They are nobody's bug, and told in one sentence. */

/** Whether the operating system refused a call; a mistake in our arguments to it has no `syscall`. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** What an error means, and what would do. */
export function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full; make room, or use a folder on another disk';
    case 'EACCES':
    case 'EPERM':
      return `permission denied for ${error.path}; use a place that you have access to`;
    case 'EROFS':
      return 'the disk is read-only; use a folder on another one';
    case 'ENAMETOOLONG':
      return 'the path is too long; use a shorter one';
    case 'ENOTDIR':
      return 'a part of the path is a file; use another path';
    case 'ELOOP':
      return 'its links lead in a circle; use another path';
    case 'EBUSY':
    case 'EXDEV':
      return `${error.path} is a disk of its own, or in use, and cannot be moved; use another folder`;
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open; close some programs';
    default:
      return error.message;
  }
}
