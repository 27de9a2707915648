export function folderOf(name: string): string;
export function nodePath(): string;
export function installAll(): void;
