// SPDX-License-Identifier: Apache-2.0
//
// What is done to one machine, in terms of kms/client: how it comes out of its image, and what an administrator or a
// screwdriver does to it later.

import {
  type Client,
  type ClientProfile,
  forgetHost,
  fromAgedImage,
  hardwareChanged,
  newClient,
  rearmed,
} from '../client/index.ts';
import { type Machines, PHASE } from './machines.ts';
import type { ImagePlan, MachineChange } from './plan.ts';

/**
 * The client of a machine that starts from its image for the first time. /generalize resets the timer if the image has a
 * rearm left; otherwise, and without it, the grace has been running since the image was made (S3-79).
 */
export function bornFrom(image: ImagePlan, profile: ClientProfile, nowMs: number): Client {
  if (image.generalized && image.rearmsLeft > 0) return newClient(profile, nowMs);
  return fromAgedImage(profile, image.ageMs, nowMs);
}

/**
 * Changes a machine that is there. Answers its client, for the time it is due; undefined if it will not ask a KMS host any
 * more; `unchanged` if this does not concern it: it is not there yet, has no rearm left, has that key already.
 */
export function changeMachine(
  machines: Machines,
  machine: number,
  what: MachineChange,
  nowMs: number,
): Client | undefined | 'unchanged' {
  const phase = machines.phase(machine);
  if (phase === PHASE.absent) return 'unchanged';
  if (what === 'toMak') {
    if (phase === PHASE.mak) return 'unchanged';
    machines.setPhase(machine, PHASE.mak);
    return undefined;
  }
  if (what === 'toKms') {
    if (phase === PHASE.client) return 'unchanged';
    machines.setPhase(machine, PHASE.client);
    return saved(machines, machine, newClient(machines.profileOf(machine), nowMs));
  }
  if (phase !== PHASE.client) return 'unchanged';
  if (what === 'rearm') {
    if (machines.rearmsLeft(machine) === 0) return 'unchanged';
    machines.useRearm(machine);
  }
  return saved(machines, machine, CHANGES[what](machines.load(machine), nowMs));
}

type ClientChange = Exclude<MachineChange, 'toMak' | 'toKms'>;

const CHANGES: Readonly<Record<ClientChange, (client: Client, nowMs: number) => Client>> = {
  rearm: rearmed,
  hardwareChange: hardwareChanged,
  activateNow: (client, nowMs) => ({ ...client, nextAttemptAtMs: nowMs }),
  forgetHost,
};

function saved(machines: Machines, machine: number, client: Client): Client {
  machines.save(machine, client);
  return client;
}
