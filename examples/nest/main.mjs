/** `node examples/nest/main.mjs`, with MONGODB_URL and RABBITMQ_URL in the environment. */
import 'reflect-metadata';
import process from 'node:process';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LanekeeperModule } from './lanekeeper.module.mjs';
import { OrdersModule, processOrder } from './orders.mjs';

class AppModule {}
Module({ imports: [LanekeeperModule.forRoot({ env: process.env }, processOrder), OrdersModule] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(process.env.PORT ?? 3_000);
process.stdout.write(`listening ${JSON.stringify(app.getHttpServer().address())}\n`);
