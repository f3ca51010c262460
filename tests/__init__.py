"""Tests of nat-scheduler."""
