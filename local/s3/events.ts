export interface ObjectCreated {
  bucket: string;
  key: string;
}
