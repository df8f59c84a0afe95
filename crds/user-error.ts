// SPDX-License-Identifier: Apache-2.0

// The error that is meant for whoever typed the command or wrote the file. It carries no stack trace to the user's eyes.

/**
 * A mistake that the user can mend: a flag, a file, a port in use, a foreign Redis. The message is one line that names what to change;
 * a command prints it as it is and ends with exit code 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}
