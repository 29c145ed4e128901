import type { ResolvedConfig } from '../config/config.js';
import { messageOf, TargetError, toError } from '../errors.js';
import { isOfBusyProcess } from '../http/failures.js';
import { verdictOn } from '../http/retry.js';
import { hintOfEdgeHost } from '../identity/location-hint.js';
import { ownOf } from '../inherited-names.js';
import { FaultLog } from '../log-limit.js';
import type { Logger } from '../logger.js';
import type { TelemetryBuffer } from '../reports/telemetry.js';
import type { Delivery } from '../request/call.js';
import type { DeliveryCounts } from '../stats.js';
import { isUnresolved } from './clusters.js';
import type { Deliver } from './deliver.js';
import type { Outgoing } from './delivery-request.js';
import type { OwnHostOptions } from './host.js';
import { toDeliveryEntry } from './telemetry-entry.js';

/** A function that adds something to each delivery, such as the circuit breaker or the log. */
type Layer = (next: Deliver) => Deliver;

/** The parts of a client that the layers work with. */
export interface LayerOptions extends OwnHostOptions {
  readonly telemetry: TelemetryBuffer;
  /** The counters that go up with the calls. */
  readonly counts: DeliveryCounts;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Wraps `post` in the layers. The first layer is the outermost, so it gets the answer last. */
export function withLayers(post: Deliver, options: LayerOptions): Deliver {
  const layers = [
    learnHint(options),
    tellResult(options),
    breakCircuit(options),
    carryTelemetry(options),
    tellRequest(options),
  ];
  return layers.reduceRight((next, layer) => layer(next), post);
}

/**
 * Learns the client's own hint from answers. Forgets the hint when its host is silent, because the client's own host
 * finds another cluster. The hint in a visitor's cookie is for that visitor's calls only, so nothing is learned from
 * those calls.
 */
function learnHint({ clientHint, config }: LayerOptions): Layer {
  return (next) => {
    const deliver: Deliver = async (outgoing) => {
      try {
        const delivered = await next(outgoing);
        clientHint.current = hintOfEdgeHost(delivered.response.edgeHost) ?? clientHint.current;
        return delivered;
      } catch (error) {
        const isSilent = verdictOn(error).saysOfHost === 'silent';
        if (isSilent && hadItsTime(error, outgoing.delivery, config)) {
          clientHint.current = config.targetLocationHint;
        }
        throw error;
      }
    };
    return (outgoing) => (outgoing.delivery.locationHint === undefined ? deliver(outgoing) : next(outgoing));
  };
}

/** Counts failures, and logs the answer or the error of a call that was sent. */
function tellResult({ counts, logger }: LayerOptions): Layer {
  const faults = new FaultLog(logger.write, 'delivery calls work');
  const tellFailure = (error: unknown) => {
    const { code, attempts = 1 } = detailsOf(error);
    counts.failures += 1;
    counts.retries += Math.max(0, attempts - 1);
    if (code !== 'ERR_TARGET_ABORTED') {
      faults.failed(messageOf(error));
    }
  };
  return (next) => async (outgoing) => {
    try {
      const delivered = await next(outgoing);
      logger.debug(() => `delivery response ${logger.show(delivered.response)}`);
      faults.worked();
      return delivered;
    } catch (error) {
      // The call goes on to another host, and counts as one call.
      if (isNowhere(error, outgoing)) {
        counts.deliveries -= 1;
      } else if (outgoing.isSent) {
        tellFailure(error);
      }
      throw error;
    }
  };
}

/** Refuses calls for which somebody waits. Notifications may take as long as they need. */
function breakCircuit({ breaker, config }: LayerOptions): Layer {
  return (next) => {
    if (!breaker) {
      return next;
    }
    const deliver: Deliver = async (outgoing) => {
      const { host, delivery } = outgoing;
      const isTry = breaker.enter(host);
      try {
        const delivered = await next(outgoing);
        breaker.answered(host);
        return delivered;
      } catch (error) {
        if (isNowhere(error, outgoing) || !hadItsTime(error, delivery, config)) {
          breaker.leftOff(host, isTry);
        } else {
          breaker.failed(host, error, isTry);
        }
        throw error;
      }
    };
    return (outgoing) => (outgoing.isAwaited ? deliver(outgoing) : next(outgoing));
  };
}

/**
 * Adds the telemetry of earlier calls to a call, and measures the call. A call that fails gives back what it carried.
 */
function carryTelemetry({ telemetry, now }: LayerOptions): Layer {
  return (next) => {
    if (!telemetry.isEnabled) {
      return next;
    }
    return async (outgoing) => {
      const entries = telemetry.take();
      outgoing.entries = entries;
      try {
        const delivered = await next(outgoing);
        if (isMeasured(outgoing)) {
          telemetry.add(toDeliveryEntry(outgoing, delivered, now()));
        }
        return delivered;
      } catch (error) {
        telemetry.restore(entries);
        throw error;
      }
    };
  };
}

/** Counts and logs a call that is about to be sent. */
function tellRequest({ counts, logger }: LayerOptions): Layer {
  return (next) => (outgoing) => {
    outgoing.isSent = true;
    counts.deliveries += 1;
    logger.debug(() => `delivery request ${logger.show(outgoing.request)}`);
    return next(outgoing);
  };
}

/**
 * Tells whether a call is measured. A call that only carries telemetry is not measured, because its entry would need
 * another such call.
 */
function isMeasured({ request, isAwaited }: Outgoing): boolean {
  return isAwaited || request.notifications !== undefined;
}

/**
 * Tells whether a call failed because its cluster does not exist, when only a visitor's cookie names the cluster. Such
 * a failure says nothing about the edge.
 */
function isNowhere(error: unknown, { isMereClaim }: Outgoing): boolean {
  return isMereClaim && isUnresolved(toError(error));
}

/**
 * Tells whether a host had its full time. It had less if the call's own timeout was shorter than is usual, or this
 * process was busy.
 */
function hadItsTime(error: unknown, delivery: Delivery, config: ResolvedConfig): boolean {
  if (detailsOf(error).code !== 'ERR_TARGET_TIMEOUT') {
    return true;
  }
  const { timeoutMs, wholeTimeoutMs = timeoutMs, usualTimeoutMs = config.timeoutMs } = ownOf(delivery);
  return wholeTimeoutMs >= Math.min(usualTimeoutMs, config.timeoutMs) && !isOfBusyProcess(toError(error));
}

/** Reads the fields of a TargetError. Any other error is a defect and has none. */
function detailsOf(error: unknown): Partial<Pick<TargetError, 'code' | 'attempts'>> {
  return error instanceof TargetError ? error : {};
}
