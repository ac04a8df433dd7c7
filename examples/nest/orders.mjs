/** The orders of the application's own users. With decorators, `Injectable()(OrdersService)` is `@Injectable()` above the class. */
import { Body, Controller, Get, Headers, Inject, Injectable, Module, Param, Post } from '@nestjs/common';
import { LANEKEEPER } from './lanekeeper.module.mjs';

export const processOrder = (request, { user, seq }) => ({ receipt: `${user}/${seq}`, amount: request.amount });

export class OrdersService {
  constructor(lanekeeper) {
    this.lanekeeper = lanekeeper;
  }

  place(user, order, key) {
    return this.lanekeeper.enqueue(user, order, { key });
  }

  outcome(user, seq) {
    return this.lanekeeper.result(user, seq, { waitMs: 10_000 });
  }
}
Injectable()(OrdersService);
Inject(LANEKEEPER)(OrdersService, undefined, 0);

export class OrdersController {
  constructor(orders) {
    this.orders = orders;
  }

  async place(user, key, order) {
    const { seq } = await this.orders.place(user, order, key);
    return { seq };
  }

  async outcome(user, seq) {
    const { status, result } = await this.orders.outcome(user, Number(seq));
    return { status, result };
  }
}
Controller('orders')(OrdersController);
Inject(OrdersService)(OrdersController, undefined, 0);

/** What a decorator above a method does. */
const decorate = (method, decorator, ...parameters) => {
  const descriptor = Object.getOwnPropertyDescriptor(OrdersController.prototype, method);
  for (const [index, parameter] of parameters.entries()) parameter(OrdersController.prototype, method, index);
  decorator(OrdersController.prototype, method, descriptor);
};
decorate('place', Post(), Headers('x-user'), Headers('idempotency-key'), Body());
decorate('outcome', Get(':seq'), Headers('x-user'), Param('seq'));

export class OrdersModule {}
Module({ controllers: [OrdersController], providers: [OrdersService] })(OrdersModule);
