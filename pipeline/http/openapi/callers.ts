// Who may call an operation: `security` of OpenAPI.

export const OWNER = [{ key: [] }];
export const ANYONE: [] = [];
