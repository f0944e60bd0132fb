/** The relational part of the database, typed: for forms and for reading trees. Boards and time series use server/db.ts. */
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "#/prisma/generated/client.ts";

/** A client with a pool of its own; the caller ends it with $disconnect(). */
export const prismaClient = (databaseUrl: string): PrismaClient =>
  new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl, application_name: "takt plant" }) });
