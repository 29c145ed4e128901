/** Something that is wrong, doubtful or worth knowing in an artifact. */
export interface Finding {
  /** `error`: a part cannot be used. `warning`: it may not do what is meant. `note`: it is good to know. */
  readonly severity: 'error' | 'warning' | 'note';
  readonly code: FindingCode;
  /** The place in the artifact, such as `rules.mboxes.hero[0].condition`. It is empty for the artifact as a whole. */
  readonly path: string;
  readonly text: string;
  /** The thing that can be done about it. */
  readonly remedy?: string;
}

/** The kinds of findings; see `docs/tools.md` for each. */
export type FindingCode =
  | 'shape'
  | 'unusable'
  | 'operator'
  | 'rule'
  | 'unlisted'
  | 'overlap'
  | 'gap'
  | 'unreachable'
  | 'case'
  | 'geo-off'
  | 'twice'
  | 'remote'
  | 'both'
  | 'no-rules'
  | 'expired'
  | 'not-yet';

const SEVERITIES: Readonly<Record<FindingCode, Finding['severity']>> = {
  shape: 'error',
  unusable: 'error',
  operator: 'error',
  rule: 'error',
  unlisted: 'warning',
  overlap: 'warning',
  gap: 'warning',
  unreachable: 'warning',
  case: 'warning',
  'geo-off': 'warning',
  twice: 'warning',
  remote: 'note',
  both: 'note',
  'no-rules': 'note',
  expired: 'note',
  'not-yet': 'note',
};

/** Makes a finding. Its code has its severity. */
export function toFinding(code: FindingCode, path: string, text: string, remedy?: string): Finding {
  return { severity: SEVERITIES[code], code, path, text, ...(remedy !== undefined && { remedy }) };
}

/** Adds a name to a path: `rules.mboxes.hero`, or `rules.mboxes["my hero"]` for a name with other characters. */
export function pathTo(outer: string, name: string): string {
  return /^[\w-]+$/.test(name) ? `${outer}.${name}` : `${outer}[${JSON.stringify(name)}]`;
}
