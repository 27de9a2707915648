import { jsonReply, type Reply } from '../http/reply';

/** An error of the REST API: status, errorCode, message and the fields that are wrong. */
export class DataError extends Error {
  readonly status: number;
  readonly errorCode: string;
  readonly fields: readonly string[] | undefined;

  constructor(status: number, errorCode: string, message: string, fields?: readonly string[]) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
    this.fields = fields;
  }
}

/** The body of every error of the REST API: an array, even for one error. */
export function dataErrorReply({ status, errorCode, message, fields }: DataError): Reply {
  return jsonReply([{ message, errorCode, ...(fields === undefined ? {} : { fields }) }], status);
}

export function notFound(): DataError {
  return new DataError(404, 'NOT_FOUND', 'The requested resource does not exist');
}

/** Refuses every other method. @throws DataError METHOD_NOT_ALLOWED */
export function allowMethods(method: string, ...allowed: string[]): void {
  if (allowed.includes(method)) return;
  const text = `HTTP Method '${method}' not allowed. Allowed are ${allowed.join(',')}`;
  throw new DataError(405, 'METHOD_NOT_ALLOWED', text);
}

export function sessionInvalid(): DataError {
  return new DataError(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
}
