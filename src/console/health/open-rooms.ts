import { Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

/** Finds what belongs to rooms that the role of this process may have opened, or not. */
@Injectable()
export class OpenRooms {
  constructor(private readonly modules: ModuleRef) {}

  /** Null: the room is closed. */
  find<T>(type: Type<T>): T | null {
    try {
      return this.modules.get(type, { strict: false });
    } catch {
      return null;
    }
  }
}
