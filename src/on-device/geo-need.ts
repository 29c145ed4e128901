import type { DeliveryRequest, ExecuteRequest, PrefetchRequest } from '../delivery-api.js';
import type { CompiledArtifact } from './rules/compile.js';
import type { CompiledLocation } from './rules/location.js';

/**
 * Tells whether the answer to a request depends on the visitor's place: a location that it asks for has rules that read
 * it, or has offers whose response tokens name it. Only such a call has to wait for a look-up.
 */
export function needsGeo({ execute, prefetch }: DeliveryRequest, compiled: CompiledArtifact): boolean {
  return (
    (isAny(execute) && mboxesNeedGeo(execute, compiled)) ||
    (isAny(prefetch) && (mboxesNeedGeo(prefetch, compiled) || viewsNeedGeo(prefetch, compiled)))
  );
}

function isAny<Part>(part: Part | null | undefined): part is Part {
  return part !== undefined && part !== null;
}

function mboxesNeedGeo(
  { mboxes, pageLoad }: ExecuteRequest | PrefetchRequest,
  compiled: CompiledArtifact,
): boolean {
  for (const { name } of mboxes ?? []) {
    if (locationNeedsGeo(compiled.mbox(name), compiled)) {
      return true;
    }
  }
  return isAny(pageLoad) && locationNeedsGeo(compiled.mbox(compiled.globalMbox), compiled);
}

function viewsNeedGeo({ views }: PrefetchRequest, compiled: CompiledArtifact): boolean {
  for (const { name } of views ?? []) {
    const locations = name ? [compiled.view(name)] : compiled.views();
    if (locations.some((location) => locationNeedsGeo(location, compiled))) {
      return true;
    }
  }
  return false;
}

function locationNeedsGeo(location: CompiledLocation, { tokenNames }: CompiledArtifact): boolean {
  return location.readsGeo || (tokenNames.geo.length > 0 && location.hasRules);
}
