import type { MeaningName } from './meanings';

/**
 * Where an error of Salesforce is seen.
 *
 * - `page`: on a page of Salesforce. The browser does not come back, and the application does not learn of the error
 * - `callback`: in the query of the callback
 * - `code`, `refresh`: from the token endpoint, in a login and in a refresh
 * - `app`: from the token endpoint, to a request for an app token
 * - `revoke`: from the revocation endpoint
 * - `profile`: from the identity URL and userinfo
 * - `api`: from the REST API
 */
export type SeenAt = 'page' | 'callback' | 'code' | 'refresh' | 'app' | 'revoke' | 'profile' | 'api';

/**
 * How certain it is that Salesforce sends this error with this meaning.
 *
 * - `documented`: in Salesforce's documentation
 * - `client code`: in the code of Salesforce's own clients, which list the error. The meaning is partly guessed
 * - `reported`: users have reported the error
 * - `unconfirmed`: there is no source
 */
type Confidence = 'documented' | 'client code' | 'reported' | 'unconfirmed';

/** An error of Salesforce. */
export interface SalesforceError {
  /** As Salesforce writes it: `error`, or the `errorCode` of an API. */
  readonly error: string;
  /** Salesforce's text for the error. An example, if `when` says which texts count. */
  readonly text?: string | undefined;
  /** Which texts the entry is about, if the error has several meanings. */
  readonly when?: RegExp | undefined;
  readonly at: readonly SeenAt[];
  /** `ignored` means that this package does not treat it as an error. */
  readonly meaning: MeaningName | 'ignored';
  readonly confidence: Confidence;
}

/** Makes a row of the table. */
export const entry = (
  error: string,
  at: readonly SeenAt[],
  meaning: SalesforceError['meaning'],
  confidence: Confidence,
  rest: Pick<SalesforceError, 'text' | 'when'> = {},
): SalesforceError => ({ error, at, meaning, confidence, ...rest });
