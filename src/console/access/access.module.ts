import { Module } from '@nestjs/common';

/** Who may come in, and what they may do: users, sessions, tokens, roles, and the audit log of every change. */
@Module({})
export class AccessModule {}
