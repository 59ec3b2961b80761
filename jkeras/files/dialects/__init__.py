"""Converts what older versions of Keras wrote to today's form: functions of plain values, without layers or models."""
