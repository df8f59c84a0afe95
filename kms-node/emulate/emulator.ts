// SPDX-License-Identifier: Apache-2.0
/**
 * An activation as one straight walk: open the body -> decide -> store.record (one round trip) -> seal -> answer PDU (docs/protocol.md §5.1 steps 9–16).
 * It knows nothing of sockets; the connection hands in a call and gets the PDU to send.
 */
import { HRESULT } from '@kmspool/kms/host';
import {
  FAULT,
  type HostEnvelope,
  newResponse,
  type OpenedRequest,
  REQUEST_HEAD_BYTES,
  RESPONSE_BODY_BYTES,
  refusalStubBytes,
  responseStubBytes,
  writeRefusalStub,
  writeResponseStub,
} from '@kmspool/kms/wire';
import { type Call, tooBusy } from '../server/association.ts';
import type { CallAnswer } from '../server/connection.ts';
import type { CmidStore } from '../store/store.ts';
import { type Decision, decide, NO_APPLICATION, type ServedProducts } from './decide.ts';
import { Histogram } from './histogram.ts';
import { type Outcome, RequestCounters } from './request-counters.ts';

/** What of the configuration an answer depends on; replaced whole when the file is re-read. */
export interface EmulatorSettings {
  readonly served: ServedProducts;
  readonly activationIntervalMinutes: number;
  readonly renewalIntervalMinutes: number;
}

/** One contact as the debug log shows it (event 12290, S1-27). */
export interface ContactSeen {
  readonly opened: OpenedRequest;
  readonly decision: Decision;
  readonly address: string;
  /** Absent when the request was refused or could not be counted. */
  readonly count?: number;
}

export interface EmulatorTerms {
  readonly envelope: HostEnvelope;
  readonly store: CmidStore;
  readonly settings: EmulatorSettings;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Called for every contact when set; undefined keeps the hot path free of it. */
  readonly onContact: ((seen: ContactSeen) => void) | undefined;
}

const SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const SKEW_SECONDS = [1, 5, 30, 60, 300, 900, 3600, 7200, 14_400];

export class Emulator {
  readonly requests = new RequestCounters();
  /** From the complete request PDU to the answer. */
  readonly latencySeconds = new Histogram(SECONDS);
  /** How far clients' clocks are off, either way (S4-31). */
  readonly skewSeconds = new Histogram(SKEW_SECONDS);
  readonly #terms: EmulatorTerms;
  #settings: EmulatorSettings;

  constructor(terms: EmulatorTerms) {
    this.#terms = terms;
    this.#settings = terms.settings;
  }

  configure(settings: EmulatorSettings): void {
    this.#settings = settings;
  }

  /** Serves one call; `reply` is called once, at once when the store is in memory. */
  serve(call: Call, address: string, reply: (answer: CallAnswer) => void): void {
    const startMs = this.#terms.nowMs();
    const opened = this.#terms.envelope.open(call.bytes, call.bodyStart, call.bodyBytes);
    if (!opened) {
      this.requests.add({
        application: NO_APPLICATION,
        protocol: 0,
        hresult: HRESULT.invalidData,
        licenseStatus: 7,
        outcome: 'refused',
      });
      this.#finish(startMs, reply, { pdu: refusalPdu(call, HRESULT.invalidData), close: false });
      return;
    }
    const { request } = opened;
    const storeNowMs = this.#terms.store.nowMs();
    this.skewSeconds.observe(Math.abs(request.clientTimeMs - storeNowMs) / 1000);
    const decision = decide(request, { served: this.#settings.served, nowMs: storeNowMs });
    const contact = {
      application: decision.application,
      protocol: opened.protocol,
      request,
      hresult: decision.hresult,
      address,
    };
    if (decision.hresult !== HRESULT.ok) {
      this.#terms.store.note(contact);
      this.#count(opened, decision, 'refused');
      this.#terms.onContact?.({ opened, decision, address });
      this.#finish(startMs, reply, { pdu: refusalPdu(call, decision.hresult), close: false });
      return;
    }
    this.#terms.store.record(contact, (count) => {
      this.#count(opened, decision, count === undefined ? 'busy' : 'activated');
      this.#terms.onContact?.({ opened, decision, address, ...(count !== undefined && { count }) });
      this.#finish(startMs, reply, this.#answer(call, opened, count));
    });
  }

  #answer(call: Call, opened: OpenedRequest, count: number | undefined): CallAnswer {
    if (count === undefined) return tooBusyAnswer(call);
    const { activationIntervalMinutes, renewalIntervalMinutes } = this.#settings;
    const bodyBytes = RESPONSE_BODY_BYTES[opened.protocol];
    const pdu = newResponse(call.callId, call.contextId, responseStubBytes(bodyBytes, call.syntax));
    const bodyStart = writeResponseStub(pdu, REQUEST_HEAD_BYTES, bodyBytes, call.syntax);
    this.#terms.envelope.sealInto(pdu, bodyStart, opened, { count, activationIntervalMinutes, renewalIntervalMinutes });
    return { pdu, close: false };
  }

  #count(opened: OpenedRequest, decision: Decision, outcome: Outcome): void {
    const { licenseStatus } = opened.request;
    const { application, hresult } = decision;
    this.requests.add({ application, protocol: opened.protocol, hresult, licenseStatus, outcome });
  }

  #finish(startMs: number, reply: (answer: CallAnswer) => void, answer: CallAnswer): void {
    this.latencySeconds.observe((this.#terms.nowMs() - startMs) / 1000);
    reply(answer);
  }
}

/** A KMS-level refusal is an ordinary response with a null pointer and the HRESULT, never a fault (docs/protocol.md §2.3). */
function refusalPdu(call: Call, hresult: number): Buffer {
  const pdu = newResponse(call.callId, call.contextId, refusalStubBytes(call.syntax));
  writeRefusalStub(pdu, REQUEST_HEAD_BYTES, hresult, call.syntax);
  return pdu;
}

function tooBusyAnswer(call: Call): CallAnswer {
  const { pdu, close } = tooBusy(call);
  return { pdu, close, fault: FAULT.serverTooBusy };
}
