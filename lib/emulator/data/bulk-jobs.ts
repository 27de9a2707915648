import { createId } from '../org/ids';

/** States of a job. Every job reports `InProgress` once, so that a caller must ask again. */
type BulkState = 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';

/** A job of Bulk API 2.0. */
export interface BulkJob {
  readonly id: string;
  readonly kind: 'ingest' | 'query';
  readonly organizationId: string;
  readonly createdById: string;
  readonly createdDate: string;
  readonly object: string;
  readonly operation: string;
  readonly lineEnding: 'LF' | 'CRLF';
  state: BulkState;
  errorMessage?: string;
  /** CSV of an ingest as it was uploaded. */
  content?: string;
  /** Rows that succeeded, and rows that failed. The first row has the names of the columns. */
  successful: string[][];
  failed: string[][];
  /** Rows of a query. The first row has the names of the columns. */
  results: string[][];
}

/** The jobs of all organizations. */
export class BulkJobs {
  readonly #jobs = new Map<string, BulkJob>();
  #lastNumber = 0;

  create(job: Omit<BulkJob, 'id' | 'successful' | 'failed' | 'results'>): BulkJob {
    const created = { ...job, id: createId('750', ++this.#lastNumber), successful: [], failed: [], results: [] };
    this.#jobs.set(created.id, created);
    return created;
  }

  /** Finds a job of this organization and kind. */
  find(organizationId: string, kind: BulkJob['kind'], id: string): BulkJob | undefined {
    const job = this.#jobs.get(id);
    return job?.organizationId === organizationId && job.kind === kind ? job : undefined;
  }

  delete({ id }: BulkJob): void {
    this.#jobs.delete(id);
  }
}
