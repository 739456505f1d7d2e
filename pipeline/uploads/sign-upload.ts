// What is signed so that a browser can send a file past us, straight to the store.

export interface GrantedUpload {
  method: 'PUT';
  url: string;
  headers: Record<string, string>;
}

export interface UploadForm {
  url: string;
  /** To be sent as multipart/form-data, before the field `file`. */
  fields: Record<string, string>;
}

export interface SignedRequest {
  url: string;
  /** To be sent with it. */
  headers?: Record<string, string>;
}

/** What there is to ask S3 about an upload in parts, beside sending one. */
export type MultipartRequest =
  | { kind: 'begin'; contentType: string | undefined }
  | { kind: 'list' | 'complete' | 'abort'; uploadId: string };

export interface SignUpload {
  /** A PUT of one key that fixes size and type, and refuses to overwrite. */
  put(key: string, file: { contentType: string; sizeBytes: number }): Promise<GrantedUpload>;
  /** A form for one key: the only request whose size S3 holds to a limit without knowing it. It may overwrite. */
  form(
    key: string,
    file: { contentType: string; maxBytes: number; metadata: Record<string, string> },
  ): Promise<UploadForm>;
  /** The URL to PUT a part to. It takes exactly `sizeBytes`; undefined is whatever the store takes. */
  part(
    key: string,
    uploadId: string,
    part: { number: number; sizeBytes: number | undefined },
  ): Promise<string>;
  /** Completing refuses to overwrite. */
  multipart(key: string, request: MultipartRequest): Promise<SignedRequest>;
}
