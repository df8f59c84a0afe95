// SPDX-License-Identifier: Apache-2.0
//
// A fleet on a virtual clock: machines, hosts, DNS and faults as one deterministic computation. README.md has the map.

export {
  checkpointsFor,
  type Expectation,
  judgeExpectations,
  machineName,
  type Verdict,
  whenText,
} from './expectations.ts';
export type {
  Arrival,
  Change,
  ChangeKind,
  DomainPlan,
  FleetPlan,
  GroupPlan,
  ImagePlan,
  Intervals,
  KeyKind,
  MachineChange,
  PoolPlan,
} from './plan.ts';
export { type Simulated, type SimulationTerms, simulate, type TrySeen } from './simulate.ts';
export {
  type Checkpoint,
  type GroupStates,
  type Leaving,
  type MachineState,
  OUTCOMES,
  type Series,
  STATES,
  type TryOutcome,
} from './tally.ts';
