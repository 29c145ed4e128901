import 'reflect-metadata';
import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { target, visitOf } from 'target-node-sdk/express';
import { page } from './page.js';
import { client, options } from './target.js';

@Controller()
class Pages {
  @Get()
  home(@Req() request: object): Promise<string> {
    return page(visitOf(request));
  }
}

@Module({ controllers: [Pages] })
class App {}

const app = await NestFactory.create(App);
app.use(target(client, options));
await app.listen(3000);
